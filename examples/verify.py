#!/usr/bin/env python3
"""A second verifier of Mayfly's bundles, written from docs/reference/log-format.md alone: no code of Mayfly, no network.

    python3 verify.py BUNDLE --policy TRUST [--since CHECKPOINT]

Exit status 0: every entry is in the log as it stands in the bundle. 1: something was altered. 2: it cannot be judged.
"""
import argparse, base64, csv, hashlib, json, os, sys, tarfile
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FILES = ("manifest.json", "checkpoint", "entries.jsonl", "entries.csv", "hashes.bin")
COLUMNS = ("seq appendedAt topic partition offset authenticated type id task sender service code event.actor "
           "event.agent event.tool event.dataset event.action event.decision event.leaseId event.cause").split()
sha256 = lambda data: hashlib.sha256(data).digest()
leaf_hash = lambda leaf: sha256(b"\0" + leaf)
node_hash = lambda left, right: sha256(b"\1" + left + right)
class Altered(Exception): pass
class CannotJudge(Exception): pass

def b64(text):
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text: raise Altered("base64 that is not canonical")
    return data

def hashes(texts):
    if any(len(b64(text)) != 32 for text in texts): raise Altered("a hash that is not 32 bytes long")
    return [b64(text) for text in texts]

def read_trust(text):
    """Names of logs, with their keys by key id. A file that demands witnesses is not half obeyed."""
    logs = {}
    for words in (line.split() for line in text.splitlines()):
        if not words or words[0].startswith("#") or words == ["quorum", "none"]: continue
        if words[0] != "log" or len(words) not in (2, 3): raise CannotJudge("the trust file asks for more than is checked here")
        name, key_id, encoded = words[1].split("+", 2)
        key = b64(encoded)
        if key[:1] != b"\1" or sha256(name.encode() + b"\n" + key)[:4].hex() != key_id: raise CannotJudge("the trust file holds a bad key")
        logs.setdefault(name, {})[bytes.fromhex(key_id)] = Ed25519PublicKey.from_public_bytes(key[1:])
    return logs

def open_checkpoint(note, logs):
    """Origin, size, root and who signed: a C2SP signed note, by a key that is named after the origin."""
    text, _, signatures = note.rpartition("\n\n")
    lines = (text + "\n").split("\n")
    if len(lines) < 4 or not signatures.endswith("\n") or lines[0] not in logs: raise Altered("checkpoint: not of a trusted log")
    signed_by = []
    for dash, name, encoded in (line.split(" ") for line in signatures[:-1].split("\n")):
        signature = b64(encoded)
        if dash != "\u2014": raise Altered("checkpoint: a line that is no signature")
        key = logs[lines[0]].get(signature[:4]) if name == lines[0] else None
        if key is None: continue
        key.verify(signature[4:], (text + "\n").encode())
        signed_by.append(f"{name}+{signature[:4].hex()}")
    if not signed_by: raise Altered("checkpoint: no trusted key signed it")
    return lines[0], int(lines[1]), hashes([lines[2]])[0], signed_by

def push(edge, level, root):
    """The edge of a tree: its perfect subtrees, the largest first. Two of one size are one of twice the size."""
    edge.append((level, root))
    while len(edge) > 1 and edge[-2][0] == edge[-1][0]:
        (level, left), (_, right) = edge[-2:]
        edge[-2:] = [(level + 1, node_hash(left, right))]

def root_of(edge):
    roots = [root for _, root in edge]
    while len(roots) > 1: roots[-2:] = [node_hash(*roots[-2:])]
    return roots[0] if roots else sha256(b"")

def levels_between(start, end):
    """Sizes, as powers of two, of the largest perfect subtrees of [start, end)."""
    while start < end:
        level = 0
        while start % (2 << level) == 0 and start + (2 << level) <= end: level += 1
        yield level
        start += 1 << level

def push_all(edge, levels, roots):
    if len(levels := list(levels)) != len(roots): raise Altered("manifest.json: a proof with too few or too many hashes")
    for level, root in zip(levels, roots): push(edge, level, root)

def is_extended(old_size, old_root, size, root, proof):
    """RFC 9162, 2.1.4.2. Requires 0 < old_size < size."""
    proof = [old_root] * (old_size & (old_size - 1) == 0) + proof
    if not proof: return False
    low, high = old_size - 1, size - 1
    while low & 1: low, high = low >> 1, high >> 1
    old = new = proof[0]
    for each in proof[1:]:
        if high == 0: return False
        if low & 1 or low == high:
            old, new = node_hash(each, old), node_hash(each, new)
            while low and not low & 1: low, high = low >> 1, high >> 1
        else: new = node_hash(new, each)
        low, high = low >> 1, high >> 1
    return high == 0 and old == old_root and new == root

def open_bundle(path):
    """A function that opens a file of the bundle; nothing is unpacked, so no name in it leads anywhere."""
    if os.path.isdir(path):
        names, at = os.listdir(path), lambda name: os.path.join(path, name)
        opened, plain = lambda name: open(at(name), "rb"), not any(os.path.islink(at(name)) for name in names)
    else:
        archive = tarfile.open(path, "r:")
        names, opened = archive.getnames(), archive.extractfile
        plain = all(member.isreg() for member in archive)
    if not plain or len(set(names)) != len(names) or set(names) - set(FILES): raise Altered("a file that no bundle has, or one twice")
    return set(names), opened

def digest_of(name, file):
    digest, size, last = hashlib.sha256(), 0, b""
    while piece := file.read(1 << 20): digest.update(piece); size += len(piece); last = piece[-1:]
    return size, digest.hexdigest(), name == "hashes.bin" or last == b"\n"

def lines_of(file):
    while line := file.readline(1 << 20): yield line[:-1] if line.endswith(b"\n") else line

def says(row, seq, leaf):
    """Does a row of the table say what the leaf says? Cell by cell."""
    try: envelope, cells = json.loads(leaf), next(csv.reader([row.decode()], strict=True))
    except (ValueError, RecursionError, csv.Error, StopIteration): return False
    if len(cells) != len(COLUMNS) or cells[0] != str(seq): return False
    for column, cell in zip(COLUMNS[1:], cells[1:]):
        value = envelope
        for member in column.split("."): value = value.get(member) if isinstance(value, dict) else None
        if value is None: told = cell == ""
        elif isinstance(value, str) and all(ord(c) >= 32 and ord(c) != 127 for c in value):
            told = cell == ("'" if value[:1] in ("=", "+", "-", "@") else "") + value
        else:
            try: shown = json.loads(cell[1:] if cell.startswith("'-") else cell)
            except ValueError: return False
            told = shown == value and type(shown) is type(value)
        if not told: return False
    return True

def verify(path, logs, since):
    names, opened = open_bundle(path)
    written = opened("manifest.json").read(65_537) if "manifest.json" in names else b"{}"
    if len(written) > 65_536 or not isinstance(manifest := json.loads(written), dict): raise Altered("manifest.json: no manifest")
    kind = str(manifest.get("format"))
    if kind.startswith("mayfly-bundle/") and kind != "mayfly-bundle/1": raise CannotJudge("another version of the format")
    first, end, files, proof = manifest["from"], manifest["to"], manifest["files"], manifest["proof"]
    origin, size, root, signed_by = open_checkpoint(opened("checkpoint").read(1_000_001).decode(), logs)
    if set(manifest) != {"format", "origin", "from", "to", "checkpoint", "proof", "files"} or kind != "mayfly-bundle/1" \
            or type(first) is not int or type(end) is not int or not 0 <= first < end <= size \
            or manifest["origin"] != origin or manifest["checkpoint"] != {"size": size, "root": base64.b64encode(root).decode()} \
            or set(files) | {"manifest.json"} != names or any(files[name]["rows"] != end - first for name in set(FILES[2:]) & names):
        raise Altered("manifest.json: not what the files and the checkpoint say")
    edge, then, bad, wrong = [], None, [], []
    for name, told in files.items():
        if digest_of(name, opened(name)) != (told["bytes"], told["sha256"], True): wrong.append(f"{name}: not what the manifest says")
    push_all(edge, levels_between(0, first), hashes(proof["left"]))
    leaves, in_tree = lines_of(opened("entries.jsonl")), opened("hashes.bin")
    rows = lines_of(opened("entries.csv")) if "entries.csv" in names else None
    if rows and next(rows, b"").decode() != ",".join(COLUMNS): wrong.append("entries.csv: other columns")
    for seq in range(first, end):
        if since and since[1] == seq: then = root_of(edge)
        told, leaf = in_tree.read(32), next(leaves, None)
        if len(told) != 32: wrong.append("hashes.bin: cut short"); break
        push(edge, 0, told)
        row = next(rows, b"") if rows else None
        if leaf is None or leaf_hash(leaf) != told or (rows and not says(row, seq, leaf)): bad.append(seq)
    else:
        if since and since[1] == end: then = root_of(edge)
        if next(leaves, None) is not None or (rows and next(rows, None) is not None): bad.append(end)
    push_all(edge, levels_between(end, size), hashes(proof["right"]))
    if root_of(edge) != root: wrong.append("hashes.bin: the hashes do not give the signed root")
    included = 0 if wrong else end - first - len([seq for seq in bad if seq < end])
    said = [f"{included}/{end - first} entries included", f"checkpoint size {size} signed by {', '.join(signed_by)}"]
    if since and not wrong and not bad:
        old_origin, old_size, old_root, _ = since
        kept = proof.get("since", {})
        if old_size > size: raise CannotJudge("the earlier checkpoint is newer than the bundle")
        if old_size in (0, size): then = root if old_size else sha256(b"")
        if then is None and old_size != kept.get("size"): raise CannotJudge("the bundle does not reach back: export it with --since")
        extended = then == old_root if then else is_extended(old_size, old_root, size, root, hashes(kept["hashes"]))
        if old_origin == origin and extended: said.append(f"consistent with size {old_size}")
        else: wrong.append("the log was rewritten: it does not extend the earlier checkpoint")
    print(" · ".join(said), *(f"entry {seq}: altered" for seq in bad[:5]), *wrong, sep="\n")
    return 1 if bad or wrong else 0

def main():
    parser = argparse.ArgumentParser(description="Verifies a bundle of Mayfly's log.")
    for name, needed in (("bundle", {}), ("--policy", {"required": True}), ("--since", {})): parser.add_argument(name, **needed)
    options = parser.parse_args()
    try:
        with open(options.policy, encoding="utf-8") as file: logs = read_trust(file.read())
        since = open_checkpoint(open(options.since, encoding="utf-8").read(), logs) if options.since else None
    except (OSError, ValueError, Altered, CannotJudge, InvalidSignature) as error:
        return print(f"it cannot be judged: {error}", file=sys.stderr) or 2
    try:
        return verify(options.bundle, logs, since)
    except (OSError, CannotJudge) as error:
        return print(f"it cannot be judged: {error}", file=sys.stderr) or 2
    except (Altered, InvalidSignature, ValueError, KeyError, TypeError, AttributeError, RecursionError, tarfile.TarError) as error:
        return print(f"0 entries included\nrefused: {str(error) or type(error).__name__}") or 1

if __name__ == "__main__":
    sys.exit(main())
