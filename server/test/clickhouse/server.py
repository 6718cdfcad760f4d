"""Runs libchdb.so's command line, which is `clickhouse local` and can listen, in a process of its own.

Usage: server.py LIBRARY ARGUMENT...   Ends when its standard input does, so it never outlives the tests.
"""

import ctypes
import os
import sys
import threading


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
library = ctypes.CDLL(sys.argv[1], mode=os.RTLD_LAZY | os.RTLD_GLOBAL)
arguments = [b"clickhouse", *(argument.encode() for argument in sys.argv[2:])]
sys.exit(library.chdb_query_cmdline(len(arguments), (ctypes.c_char_p * (len(arguments) + 1))(*arguments, None)))
