"""Records a program in a pseudo-terminal: NAME.bytes, and NAME.toml with the size and the places
where the screen was at rest.  record.py NAME COLUMNSxROWS COMMAND... < STEPS
Each step is a line: the keys to send, as a Python string without quotes (\\r, \\x1b), or
`resize COLUMNSxROWS`, or `wait SECONDS`; a check follows each."""
import fcntl, os, pty, select, signal, struct, sys, termios, time
name, size, command = sys.argv[1], sys.argv[2], sys.argv[3:]
columns, rows = map(int, size.split("x"))
pid, fd = pty.fork()
if pid == 0:
    os.execvpe(command[0], command, dict(TERM="xterm-256color", LANG="C.UTF-8", LC_ALL="C.UTF-8", HOME=os.getcwd(), PS1="$ ", PATH=os.environ["PATH"], SHELL="/bin/bash", LINES="", COLUMNS="", EDITOR="nano", TMPDIR="/tmp"))
def resize(c, r):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", r, c, 0, 0))
resize(columns, rows)
out, steps = b"", []
def rest(quiet=0.5, most=4.0):
    global out
    end = time.time() + most
    while time.time() < end:
        ready, _, _ = select.select([fd], [], [], quiet)
        if not ready: return
        try: data = os.read(fd, 65536)
        except OSError: return
        if not data: return
        out += data
        # What our terminal answers, so that programs go on.
        for ask, answer in ((b"\x1b[0c", b"\x1b[?62;22c"), (b"\x1b[c", b"\x1b[?62;22c"), (b"\x1b[>c", b"\x1b[>0;300;0c"), (b"\x1b[6n", b"\x1b[1;1R")):
            if ask in data: os.write(fd, answer)
os.kill(pid, signal.SIGWINCH)
rest(1.0); steps.append((len(out), None))
for line in sys.stdin.read().splitlines():
    if not line: continue
    if line.startswith("resize "):
        c, r = map(int, line[7:].split("x"))
        steps[-1] = (steps[-1][0], (c, r))
        resize(c, r)
    elif line.startswith("wait "): time.sleep(float(line[5:]))
    else: os.write(fd, line.encode().decode("unicode_escape").encode("latin-1"))
    rest(); steps.append((len(out), None))
os.kill(pid, signal.SIGKILL)
open(name + ".bytes", "wb").write(out)
with open(name + ".toml", "w") as f:
    f.write(f"columns = {columns}\nrows = {rows}\n")
    for end, after in steps:
        f.write(f"\n[[steps]]\nend = {end}\n")
        if after: f.write(f"resize = [{after[0]}, {after[1]}]\n")
print(name, len(out), steps)
