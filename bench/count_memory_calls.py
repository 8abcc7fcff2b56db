"""What one hand-over costs the kernel in the steady state: system calls for memory, and page faults; one line of JSON.

    count_memory_calls.py COUNT

strace follows all processes of a run. Both actors call getrusage when the warm-up has ended and when the last segment
has arrived: to count their page faults, and to mark in the trace what lies between. The faults are those of a run
without strace.
"""
import json
import re
import subprocess
import sys
import tempfile

from harness import Contender, program_path

MEMORY_CALLS = ["mmap", "munmap", "mremap", "mprotect", "madvise", "brk", "ftruncate", "fallocate"]
WARM_UP = 2000  # until every queue of ZeroMQ has had its memory
CALLS_BY_NAME = ["open", "openat", "unlink", "unlinkat", "rename", "renameat", "renameat2"]  # only of /dev/shm


def hand_over(count):
    return ("memory_bench", "hand-over", "--bytes", str(1 << 20), "--warm-up", str(WARM_UP), "--count", str(count))


def memory_calls(count):
    """By name, of all processes and threads while hand-overs go on and nothing else."""
    program, *options = hand_over(count)
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as trace:
        subprocess.run(["strace", "-f", "-qq", "-o", trace.name, "-e",
                        "trace=" + ",".join(["getrusage"] + MEMORY_CALLS + CALLS_BY_NAME),
                        program_path(program), *options], check=True, stdout=subprocess.DEVNULL)
        calls, marks = {}, 0
        for line in trace:
            call = re.match(r"\d+ +(\w+)\((.*)", line)  # not "<... resumed>", which has been counted
            if call and call[1] == "getrusage":
                marks += 1
            elif call and marks == 2 and (call[1] in MEMORY_CALLS or "/dev/shm" in call[2]):
                calls[call[1]] = calls.get(call[1], 0) + 1
    if marks != 4:
        sys.exit(f"the trace has {marks} marks in place of 4")
    return calls


def main():
    count = int(sys.argv[1])
    calls = memory_calls(count)
    faults = Contender("Baton", hand_over(count)).measure()["page_faults"]
    print(json.dumps({"per_handover": (sum(calls.values()) + faults) / count, "calls": calls, "faults": faults}))


if __name__ == "__main__":
    main()
