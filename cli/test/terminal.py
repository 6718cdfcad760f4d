"""Runs a command in a pseudo-terminal, types what it is told to, and prints what the terminal showed.

Arguments: columns, a JSON list of [text to wait for, text to type], the command and its arguments. Ends with the
command's exit code.
"""
import fcntl, json, os, pty, select, struct, sys, termios, time

columns, steps, command = int(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    # The size is that of a terminal before its first program starts.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    os.execvp(command[0], command)
seen, end = b'', time.monotonic() + 120
while time.monotonic() < end:
    ready, _, _ = select.select([terminal], [], [], 1)
    if not ready:
        continue
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    seen += piece
    # Each step waits for a text behind what the step before saw.
    if steps and steps[0][0].encode() in seen:
        sys.stdout.buffer.write(seen)
        seen = b''
        os.write(terminal, steps.pop(0)[1].encode())
else:
    os.kill(child, 9)
sys.stdout.buffer.write(seen)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
