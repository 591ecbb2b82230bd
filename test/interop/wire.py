"""The wire promises of Mayfly, by code that shares none with it.

CloudEvents in Kafka's binary mode, a JWT-SVID bound to a proof key, a message proof, signed answers, a sealed credential.
Kafka through librdkafka, JOSE through jwcrypto.

All settings come in one JSON object:
  kafka    host:port[,host:port...]
  broker   http://host:port of the broker, which signs all answers
  svid     the command that mints an SVID: a list; `--id ID --key FILE` is appended
  folder   a folder for key files
"""

import hashlib
import json
import os
import subprocess
import time
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone

from confluent_kafka import Consumer, Producer, TopicPartition
from jwcrypto import jwe, jwk, jws

TASK_EVENTS = "mayfly.task.events.v1"
DELIVERY = "mayfly.credential.delivery.v1"
ORCHESTRATOR = "spiffe://dev.mayfly/orchestrator/sample"
AGENT = "spiffe://dev.mayfly/agent/analyst"
PRINCIPAL = "user:maria@corp.example"
WITHIN_S = 60


def uuid7():
    """RFC 9562 section 5.7: 48 bits of Unix milliseconds, then random bits around version and variant."""
    bits = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    bits = bits & ~(0xF << 76) | 0x7 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=bits))


def sha256_hex(data):
    return hashlib.sha256(data).hexdigest()


def rfc3339(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def canonical(value):
    """RFC 8785, for objects whose members are all strings or such objects: sorted keys, no spaces, raw Unicode."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def say(step, **facts):
    print(compact({"step": step, **facts}), flush=True)


def fetch(url, accept="application/json"):
    with urllib.request.urlopen(urllib.request.Request(url, headers={"accept": accept}), timeout=10) as answer:
        return answer.read()


class Sender:
    """One identity at work on one task: its proof key, and the SVID bound to it."""

    def __init__(self, spiffe_id, settings):
        self.id = spiffe_id
        self.key = jwk.JWK.generate(kty="EC", crv="P-256")
        public = self.key.export_public(as_dict=True)
        self.public = {name: public[name] for name in ("kty", "crv", "x", "y")}
        path = os.path.join(settings["folder"], f"{uuid7()}.jwk")
        with open(path, "w", encoding="utf-8") as file:
            file.write(compact(self.public))
        minted = subprocess.run(
            [*settings["svid"], "--id", spiffe_id, "--key", path], check=True, capture_output=True, text=True
        )
        self.svid = minted.stdout.strip()

    def record(self, short_type, data):
        """The arguments of Producer.produce for one signed event."""
        value = compact(data).encode()
        ce_id, ce_type = uuid7(), f"dev.mayfly.{short_type}.v1"
        proof = jws.JWS(
            compact(
                {
                    "topic": TASK_EVENTS,
                    "key": data["taskId"],
                    "ce_id": ce_id,
                    "ce_type": ce_type,
                    "value_sha256": sha256_hex(value),
                    "svid_sha256": sha256_hex(self.svid.encode("ascii")),
                    "iat": int(time.time()),
                }
            )
        )
        header = {"alg": "ES256", "typ": "mayfly-proof+jwt", "jwk": self.public}
        proof.add_signature(self.key, protected=compact(header))
        headers = {
            "ce_specversion": "1.0",
            "ce_id": ce_id,
            "ce_source": self.id,
            "ce_type": ce_type,
            "ce_subject": data["taskId"],
            "ce_time": rfc3339(datetime.now(timezone.utc)),
            "content-type": "application/json",
            "mayfly-svid": self.svid,
            "mayfly-proof": proof.serialize(compact=True),
        }
        return {"topic": TASK_EVENTS, "key": data["taskId"], "value": value, "headers": list(headers.items())}


class Bus:
    """Sends with acknowledgement, and reads the delivery topic from its end."""

    def __init__(self, settings):
        servers = {"bootstrap.servers": settings["kafka"]}
        # murmur2 over the key, as Java's client has it: one task, one partition, whoever sends.
        self.producer = Producer({**servers, "partitioner": "murmur2_random", "acks": "all", "linger.ms": 0})
        self.consumer = Consumer({**servers, "group.id": f"interop-{uuid7()}", "enable.auto.commit": False})
        partitions = self.consumer.list_topics(DELIVERY, timeout=10).topics[DELIVERY].partitions
        ends = [
            TopicPartition(DELIVERY, number, self.consumer.get_watermark_offsets(TopicPartition(DELIVERY, number))[1])
            for number in partitions
        ]
        self.consumer.assign(ends)
        keys = json.loads(fetch(f"{settings['broker']}/.well-known/jwks.json"))["keys"]
        self.broker_keys = {key["kid"]: jwk.JWK(**key) for key in keys}

    def send(self, record):
        """Returns when the bus has acknowledged the record."""
        failures = []
        self.producer.produce(**record, on_delivery=lambda error, _message: error and failures.append(error))
        if self.producer.flush(10) != 0 or failures:
            raise RuntimeError(f"not acknowledged: {failures}")

    def answer(self, task_id, wanted):
        """The first record of this task, signed by the broker, for which `wanted(type, value)` gives something."""
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            message = self.consumer.poll(0.2)
            if message is None or message.error() or message.key() != task_id.encode():
                continue
            headers = {name: value.decode() for name, value in message.headers() or []}
            self.verify(message, headers)
            found = wanted(headers["ce_type"], message.value())
            if found is not None:
                return found
        raise RuntimeError("no answer came in time")

    def verify(self, message, headers):
        """mayfly-sig: a compact JWS, ES256, over what the record says about itself."""
        signature = jws.JWS()
        signature.deserialize(headers["mayfly-sig"])
        header = signature.jose_header
        if header["alg"] != "ES256" or header["typ"] != "mayfly-record+jwt":
            raise RuntimeError("another kind of signature")
        signature.verify(self.broker_keys[header["kid"]], alg="ES256")
        names = ("id", "source", "subject", "time", "type")
        expected = {
            "topic": message.topic(),
            "key": message.key().decode(),
            "ce": {name: headers[f"ce_{name}"] for name in names},
            "value_sha256": sha256_hex(message.value()),
            "store": headers["mayfly-store"],
        }
        if signature.payload != canonical(expected):
            raise RuntimeError("signed for another record")


def declare(bus, orchestrator, purpose, declared):
    """Starts a task for the agent. Returns its id."""
    task_id = uuid7()
    bus.send(
        orchestrator.record(
            "task.started",
            {
                "taskId": task_id,
                "purpose": purpose,
                "objectiveSha256": sha256_hex(purpose.encode()),
                "principal": {"id": PRINCIPAL, "kind": "human"},
                "agents": [{"id": AGENT}],
                "declared": [declared],
                "deadline": rfc3339(datetime.now(timezone.utc) + timedelta(minutes=10)),
                "risk": "low",
            },
        )
    )
    return task_id


def call(bus, agent, task_id, what):
    """Asks for one credential and opens its envelope."""
    seal_key = jwk.JWK.generate(kty="EC", crv="P-256")
    public = seal_key.export_public(as_dict=True)
    call_id = uuid7()
    seal_to = {**{name: public[name] for name in ("kty", "crv", "x", "y")}, "use": "enc"}
    asking = {"taskId": task_id, "callId": call_id, **what, "ttlMs": 60_000, "sealTo": seal_to}
    bus.send(agent.record("tool.called", asking))
    asked = {"taskId": task_id, "callId": call_id, "topic": DELIVERY, "kid": seal_key.thumbprint()}

    def wanted(ce_type, value):
        if ce_type == "dev.mayfly.call.refused.v1" and json.loads(value)["callId"] == call_id:
            raise RuntimeError(f"refused: {value.decode()}")
        if ce_type != "dev.mayfly.credential.delivered.v1":
            return None
        envelope = jwe.JWE(algs=["ECDH-ES", "A256GCM"])
        envelope.deserialize(value.decode())
        header = json.loads(envelope.objects["protected"])
        if header.get("callId") != call_id:
            return None
        if {name: header.get(name) for name in asked} != asked or header["typ"] != "mayfly-credential+jwe":
            raise RuntimeError("sealed for another call")
        if {"apu", "apv", "zip"} & header.keys():
            raise RuntimeError("a header member that is not allowed")
        envelope.decrypt(seal_key)
        credential = json.loads(envelope.payload)
        if credential["leaseId"] != header["leaseId"]:
            raise RuntimeError("sealed for another lease")
        return credential

    return bus.answer(task_id, wanted)


def end(bus, orchestrator, task_id):
    """Returns the id of the event that ended the task, once the bus has acknowledged it."""
    record = orchestrator.record("task.ended", {"taskId": task_id, "outcome": "completed"})
    bus.send(record)
    return dict(record["headers"])["ce_id"]
