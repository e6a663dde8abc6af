#!/usr/bin/env python3
"""Sends a message to so many readers over so many connections at once, by smtplib, and prints the seconds it took.

Usage: post_mail.py PORT CONNECTIONS READERS < MESSAGE"""
import smtplib
import sys
import threading
import time

port, connections, readers = map(int, sys.argv[1:])
message = sys.stdin.buffer.read()


def send(first):
    with smtplib.SMTP("127.0.0.1", port) as server:
        for n in range(first, readers, connections):
            server.sendmail("papers@example.org", f"r{n}@example.org", message)


begun = time.monotonic()
threads = [threading.Thread(target=send, args=(n,)) for n in range(connections)]
for each in threads:
    each.start()
for each in threads:
    each.join()
print(time.monotonic() - begun)
