"""What does it cost that two processes wake each other?

One byte each way over a socket pair; prints the median in µs.
"""

import os
import socket
import sys
import time

ours, theirs = socket.socketpair()
if os.fork() == 0:
    ours.close()
    while theirs.recv(1):
        theirs.sendall(b".")
    os._exit(0)
theirs.close()
times = []
for _ in range(int(sys.argv[1])):
    began = time.perf_counter_ns()
    ours.sendall(b".")
    ours.recv(1)
    times.append(time.perf_counter_ns() - began)
ours.close()
os.wait()
print(sorted(times)[len(times) // 2] / 1000)
