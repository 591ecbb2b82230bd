"""The life of two tokens of Mayfly, by code that shares none with it: JOSE through jwcrypto, the rest in wire.py.

Usage: tokens.py SETTINGS.json, with what wire.py needs and
  revoker    http://host:port of the revoker
  audience   of tokens for the tool orders.api
  pushed     the receiver to whom security events are pushed: port (to listen on), audience, authorization
  polled     the receiver who fetches them: id, audience, poller (a SPIFFE id)

Prints one JSON object a line for each step, and ends with status 0 if all of it held.
"""

import json
import queue
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from base64 import urlsafe_b64decode
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

from jwcrypto import jwk, jws

from wire import AGENT, ORCHESTRATOR, PRINCIPAL, WITHIN_S, Bus, Sender, call, compact, declare, end, fetch, say

ORDERS = {"tool": "orders.api", "dataset": "orders"}
SESSION_REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
VALID, INVALID = 0, 1
MAX_LIST_BYTES = 1_048_576


def demand(holds, what):
    if not holds:
        raise RuntimeError(what)


def verified(token, jwks_url, typ):
    """The claims of a compact JWS of this `typ`, signed with ES256 by a key that is published there under its name."""
    keys = {key["kid"]: jwk.JWK(**key) for key in json.loads(fetch(jwks_url))["keys"]}
    signed = jws.JWS()
    signed.allowed_algs = ["ES256"]
    signed.deserialize(token)
    header = signed.jose_header
    demand(header == {"alg": "ES256", "typ": typ, "kid": header["kid"]}, f"another header than {typ}'s")
    signed.verify(keys[header["kid"]])
    return json.loads(signed.payload)


def check_access_token(claims, settings, agent, task_id, credential):
    expected = {
        "iss": settings["broker"],
        "sub": PRINCIPAL,
        "aud": settings["audience"],
        "client_id": AGENT,
        "jti": credential["leaseId"],
        # RFC 7638, of the key with which the agent signed its call.
        "cnf": {"jkt": agent.key.thumbprint()},
        "authorization_details": [
            {
                "type": "mayfly_tool_access",
                "locations": [settings["audience"]],
                **ORDERS,
                "actions": ["read"],
                "task": task_id,
            }
        ],
        "act": {"sub": AGENT},
        "lineage": [{"taskId": task_id, "generation": 1}],
    }
    for name, value in expected.items():
        demand(claims.get(name) == value, f"{name} is {claims.get(name)}")
    demand(set(claims) == {*expected, "iat", "exp", "status"}, f"claims are {sorted(claims)}")
    not_after = datetime.fromisoformat(credential["notAfter"].replace("Z", "+00:00")).timestamp()
    demand(claims["iat"] <= time.time() < claims["exp"] <= not_after, "the token is not of now")


def status_of(claims, settings):
    """What the list says of a token that names its place in it."""
    place = claims["status"]["status_list"]
    demand(place["uri"].startswith(f"{settings['revoker']}/status/"), "the list is not the revoker's")
    token = fetch(place["uri"], accept="application/statuslist+jwt").decode("ascii")
    listed = verified(token, f"{settings['revoker']}/.well-known/jwks.json", "statuslist+jwt")
    demand(listed["sub"] == place["uri"], "another list")
    demand(listed["iat"] <= time.time() + 2 and time.time() < listed["exp"] and listed["ttl"] > 0, "not of now")
    demand(listed["status_list"]["bits"] == 2, "another width")
    packed = listed["status_list"]["lst"]
    inflater = zlib.decompressobj()
    statuses = inflater.decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), MAX_LIST_BYTES)
    demand(inflater.eof and not inflater.unused_data, "the list is larger than it may be, or has a tail")
    return statuses[place["idx"] // 4] >> (place["idx"] % 4 * 2) & 3


def until_listed(claims, settings, wanted):
    """Asks for the list until it says so. There is none before the revoker has heard of the first token in it."""
    since = time.monotonic()
    while time.monotonic() < since + WITHIN_S:
        try:
            status = status_of(claims, settings)
        except urllib.error.HTTPError as error:
            demand(error.code == 404 and wanted == VALID, f"the list is answered with {error.code}")
            status = None
        if status == wanted:
            return round((time.monotonic() - since) * 1000)
        demand(status in (None, VALID), f"the list says {status}")
        time.sleep(0.05)
    raise RuntimeError(f"the list never says {wanted}")


class Pushes:
    """A receiver of pushed events (RFC 8935)."""

    def __init__(self, receiver):
        self.bodies = queue.Queue()
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                is_ours = self.headers["authorization"] == receiver["authorization"]
                is_set = self.headers["content-type"] == "application/secevent+jwt"
                if is_ours and is_set:
                    bodies.put(body.decode("ascii"))
                self.send_response(202 if is_ours and is_set else 400)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args):
                pass

        self.server = HTTPServer(("127.0.0.1", receiver["port"]), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def first(self, wanted):
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            found = wanted(self.bodies.get(timeout=WITHIN_S))
            if found is not None:
                return found
        raise RuntimeError("no event was pushed in time")


def plain_svid(spiffe_id, settings):
    minted = [*settings["svid"], "--id", spiffe_id, "--audience", "mayfly"]
    return subprocess.run(minted, check=True, capture_output=True, text=True).stdout.strip()


def post(url, body, content_type, svid):
    headers = {"authorization": f"Bearer {svid}", "content-type": content_type}
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=10) as answer:
        return json.load(answer)


def ask_broker(endpoint, token, svid, settings):
    """RFC 7662 and RFC 7009: both take a form with the token."""
    form = urllib.parse.urlencode({"token": token, "token_type_hint": "access_token"})
    return post(f"{settings['broker']}/oauth/{endpoint}", form, "application/x-www-form-urlencoded", svid)


def until_inactive(token, svid, settings):
    """The broker answers from what the revoker has told, a moment later than the revoker itself."""
    until = time.monotonic() + WITHIN_S
    while (told := ask_broker("introspect", token, svid, settings))["active"]:
        demand(time.monotonic() < until, "introspection still says that the token is active")
        time.sleep(0.05)
    demand(told == {"active": False}, "introspection says more than that the token is not active")


def polled(settings, wanted):
    """Fetches and acknowledges events (RFC 8936), until a wanted one comes."""
    receiver = settings["polled"]
    svid = plain_svid(receiver["poller"], settings)
    url = f"{settings['revoker']}/caep/poll/{receiver['id']}"
    until, taken = time.monotonic() + WITHIN_S, []
    while time.monotonic() < until:
        sets = post(url, compact({"maxEvents": 10, "ack": taken}), "application/json", svid)["sets"]
        for jti, token in sets.items():
            found = wanted(token)
            if found is not None:
                demand(found["jti"] == jti, "an event under another name")
                return found
        taken = list(sets)
    raise RuntimeError("no event could be polled in time")


def event_about(subject, settings, audience):
    """Reads events, and gives the one about this subject (RFC 9493)."""
    configuration = json.loads(fetch(f"{settings['revoker']}/.well-known/ssf-configuration"))

    def wanted(token):
        claims = verified(token, configuration["jwks_uri"], "secevent+jwt")
        demand(claims["iss"] == configuration["issuer"] == settings["revoker"], "an event of another issuer")
        demand(claims["aud"] == audience, "an event for another receiver")
        demand(not {"sub", "exp"} & claims.keys(), "an event that could pass as another kind of token")
        demand(list(claims["events"]) == [SESSION_REVOKED], "another event")
        return claims if claims["sub_id"] == subject else None

    return wanted


def hear(subject, settings, pushes):
    """Both receivers are told. Returns what the event says of its cause."""
    pushed = pushes.first(event_about(subject, settings, settings["pushed"]["audience"]))
    say("event pushed", reason=pushed["events"][SESSION_REVOKED]["reason_admin"]["en"])
    fetched = polled(settings, event_about(subject, settings, settings["polled"]["audience"]))
    say("event polled", reason=fetched["events"][SESSION_REVOKED]["reason_admin"]["en"])
    demand(pushed["jti"] == fetched["jti"] and pushed["txn"] == fetched["txn"], "one event with two names")
    return pushed["txn"]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        settings = json.load(file)
    pushes = Pushes(settings["pushed"])
    orchestrator, agent = Sender(ORCHESTRATOR, settings), Sender(AGENT, settings)
    bus = Bus(settings)
    task_id = declare(bus, orchestrator, "Read the orders from another language", {**ORDERS, "actions": ["read"]})
    say("declared", taskId=task_id)

    credentials = [call(bus, agent, task_id, {**ORDERS, "action": "read"}) for _ in range(2)]
    demand(all(each["kind"] == "jwt" and each["dpop"] is True for each in credentials), "another kind of credential")
    say("issued")

    tokens = [each["token"] for each in credentials]
    claims = [verified(token, f"{settings['broker']}/.well-known/jwks.json", "at+jwt") for token in tokens]
    for each, credential in zip(claims, credentials):
        check_access_token(each, settings, agent, task_id, credential)
    say("tokens verified")

    say("listed as valid", afterMs=[until_listed(each, settings, VALID) for each in claims])

    svid = plain_svid(AGENT, settings)
    told = ask_broker("introspect", tokens[0], svid, settings)
    said = {name: value for name, value in claims[0].items() if name != "status"}
    demand(told == {"active": True, "token_type": "DPoP", **said}, f"introspection says {told}")
    say("introspected")

    ask_broker("revoke", tokens[0], svid, settings)
    say("one given back")
    say("listed as invalid", afterMs=until_listed(claims[0], settings, INVALID))
    until_inactive(tokens[0], svid, settings)
    demand(status_of(claims[1], settings) == VALID, "the other one is not valid any more")
    hear({"format": "jwt_id", "iss": claims[0]["iss"], "jti": claims[0]["jti"]}, settings, pushes)

    cause = end(bus, orchestrator, task_id)
    say("ended")
    say("listed as invalid", afterMs=until_listed(claims[1], settings, INVALID))
    over = {"format": "complex", "session": {"format": "opaque", "id": task_id}}
    demand(hear(over, settings, pushes) == cause, "the event does not name what caused it")


if __name__ == "__main__":
    main()
