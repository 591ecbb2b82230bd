"""One Mayfly task, by a client that shares no code with Mayfly: PostgreSQL through libpq, the rest in wire.py.

Usage: client.py SETTINGS.json

Prints one JSON object a line for each step, and ends with status 0 if the whole task held.
"""

import json
import sys
import time

import psycopg

from wire import AGENT, ORCHESTRATOR, WITHIN_S, Bus, Sender, call, declare, end, say

QUERY = "SELECT count(*) FROM crm.orders"


def connect(credential):
    to = credential["connection"]
    return psycopg.connect(
        host=to["host"],
        port=to["port"],
        dbname=to["database"],
        user=to["user"],
        password=to["password"],
        sslmode=to["tls"]["mode"],
        connect_timeout=10,
        autocommit=True,
    )


def count_orders(connection):
    return connection.execute(QUERY).fetchone()[0]


def until_refused(credential):
    """Logs in again and again, until the server says no."""
    since = time.monotonic()
    while time.monotonic() < since + WITHIN_S:
        try:
            connect(credential).close()
        except psycopg.OperationalError as error:
            # libpq gives no SQLSTATE for a connection that never was.
            message = str(error).strip().splitlines()[-1]
            if "password authentication failed" in message or "not permitted to log in" in message:
                return message, round((time.monotonic() - since) * 1000)
        time.sleep(0.01)
    raise RuntimeError("the credential still works")


def until_ended(connection):
    """Queries in an open session, until the server has ended it: the login goes first, the sessions right behind it."""
    since = time.monotonic()
    while time.monotonic() < since + WITHIN_S:
        try:
            count_orders(connection)
        except psycopg.errors.AdminShutdown as error:
            return error.sqlstate
        time.sleep(0.01)
    raise RuntimeError("the open session outlived its task")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        settings = json.load(file)
    orchestrator, agent = Sender(ORCHESTRATOR, settings), Sender(AGENT, settings)
    bus = Bus(settings)
    declared = {"tool": "sql.query", "dataset": "crm.orders", "actions": ["read"]}
    task_id = declare(bus, orchestrator, "Count the orders from another language", declared)
    say("declared", taskId=task_id)

    credential = call(bus, agent, task_id, {"tool": "sql.query", "dataset": "crm.orders", "action": "read"})
    say("issued", user=credential["connection"]["user"], leaseId=credential["leaseId"])

    connection = connect(credential)
    say("queried", orders=count_orders(connection))

    end(bus, orchestrator, task_id)
    say("ended")

    message, after_ms = until_refused(credential)
    say("login refused", message=message, afterMs=after_ms)

    def told(ce_type, value):
        ended = ce_type == "dev.mayfly.lease.ended.v1" and json.loads(value)
        return ended if ended and ended["leaseId"] == credential["leaseId"] else None

    say("told", cause=bus.answer(task_id, told)["cause"])
    say("session ended", code=until_ended(connection))


if __name__ == "__main__":
    main()
