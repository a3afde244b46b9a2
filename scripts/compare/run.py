#!/usr/bin/env python3
"""run.py: times the tools that compare-miners.sh has installed, and writes the page of figures.

Each tool runs several times; the least processor time counts (user and system, of all its threads),
because other programs on the machine can only add to it. Output goes nowhere. How many lines a tool
reads is bounded for the slow ones (BOUNDS), and said in the table.
"""
import argparse
import datetime
import os
import re
import resource
import subprocess
import sys

# Lines read: drain3 takes minutes for a million, and grows slower as it makes clusters.
BOUNDS = {"drain3": 200_000, "tailspin": 500_000, "lnav": 500_000}
BEGIN, END = "<!-- compare-miners: begin -->", "<!-- compare-miners: end -->"


def timed(command, env):
    """Seconds of processor time and peak memory in MiB of a command; the text that it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # scan says by 3 that it found something.
    if done.returncode not in (0, 3):
        sys.exit(f"run.py: {command[0]} failed: {done.stderr.decode(errors='replace')[-500:]}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, done.stdout


def silent(command, env):
    """The same for a command whose output would only cost us memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(os.devnull, "wb") as nowhere:
        # A pipe, as in real use: some tools are faster when they see that nobody reads.
        tool = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=nowhere)
        while tool.stdout.read(1 << 20):
            pass
        status = tool.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status not in (0, 3):
        sys.exit(f"run.py: {command[0]} failed with exit status {status}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def head(path, count, scratch):
    """A file with the first lines of another."""
    short = os.path.join(scratch, f"{os.path.basename(path)}.{count}")
    if not os.path.exists(short):
        with open(path, "rb") as f, open(short, "wb") as out:
            for _, line in zip(range(count), f):
                out.write(line)
    return short


def lines_of(path):
    with open(path, "rb") as f:
        return sum(block.count(b"\n") for block in iter(lambda: f.read(1 << 20), b""))


def grouped(number):
    """1234567 as 1 234 567."""
    return f"{number:,.0f}".replace(",", " ")


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        found = re.search(r"model name\s*:\s*(.*)", f.read())
    return f"{os.cpu_count()} processors" + (f" ({found.group(1).strip()})" if found else "")


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    for name in ("corpus", "page", "ours", "per-line", "drain", "tspin", "lnav", "scratch"):
        ap.add_argument("--" + name, required=True)
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--lines", type=int, required=True)
    a = ap.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    env = dict(os.environ, HOME=a.scratch, TERM="dumb", LC_ALL="C.UTF-8")
    log, content = a.corpus + ".log", a.corpus + ".content"
    parts = sorted(
        os.path.join(a.corpus + ".parts", name) for name in os.listdir(a.corpus + ".parts")
    )
    short = {tool: head(log, min(bound, a.lines), a.scratch) for tool, bound in BOUNDS.items()}
    drained = head(content, min(BOUNDS["drain3"], a.lines), a.scratch)
    ini = os.path.join(here, "drain3.ini")
    drain = [a.drain, os.path.join(here, "drain.py")]

    # What, what it does, the command (or several), how many lines it reads.
    rows = [
        ("sentinel-tui patterns --format csv", "reads, mines, an id for every line", [[a.ours, "patterns", "--format", "csv", log]], a.lines),
        ("sentinel-tui scan", "redacts, reads, mines, signatures, scores", [[a.ours, "scan", p] for p in parts], sum(map(lines_of, parts))),
        ("drain3 0.9.11, as it comes, whole lines", "mines", [drain + [short["drain3"]]], lines_of(short["drain3"])),
        ("drain3 0.9.11, as it comes, messages alone", "mines", [drain + [drained]], lines_of(drained)),
        ("drain3 0.9.11, three masks, whole lines", "masks, mines", [drain + [short["drain3"], ini]], lines_of(short["drain3"])),
        ("drain3 0.9.11, three masks, messages alone", "masks, mines", [drain + [drained, ini]], lines_of(drained)),
        ("tailspin 7.0.0 (tspin -p)", "highlights", [[a.tspin, "-p", short["tailspin"]]], lines_of(short["tailspin"])),
        ("lnav 0.11.1 (lnav -n)", "reads, indexes, writes", [[a.lnav, "-n", short["lnav"]]], lines_of(short["lnav"])),
        ("lnav 0.11.1 (lnav -n -c ':filter-in ERROR')", "reads, indexes, writes what matches", [[a.lnav, "-n", "-c", ":filter-in ERROR", short["lnav"]]], lines_of(short["lnav"])),
    ]
    best = {}
    path = []
    for _ in range(a.runs):
        _, said = timed([a.per_line, *parts], env)
        found = re.search(rb"^(\d+) lines.*?([\d.]+) million lines per CPU-second \(reading (\d+) ns, judging (\d+) ns", said)
        if not found:
            sys.exit(f"run.py: {a.per_line} did not say what it should: {said!r}")
        path.append((float(found.group(2)) * 1e6, int(found.group(1)), int(found.group(3)), int(found.group(4))))
        for name, _, commands, _ in rows:
            used = sum(silent(command, env) for command in commands)
            best[name] = min(used, best.get(name, used))
            print(f"{name}: {used:.2f} s", file=sys.stderr)
    ours, ours_lines, reading, judging = max(path)
    table = [("**the whole way of a line, in process, one thread**", f"reads ({reading} ns), mines, signatures, scores ({judging} ns)", ours_lines, ours)]
    table += [(name, what, count, count / best[name]) for name, what, _, count in rows]
    text = [
        BEGIN,
        f"Measured {datetime.date.today().isoformat()} on {processor()}; the best of {a.runs} runs each, all in one run of the script.",
        "",
        "| what | what it does | lines read | lines per CPU-second | the whole way is … times as fast |",
        "|---|---|---:|---:|---:|",
    ]
    for name, what, count, rate in table:
        ratio = "" if rate == ours else f"{ours / rate:.1f}"
        text.append(f"| {name} | {what} | {grouped(count)} | {grouped(rate)} | {ratio} |")
    text.append(END)
    with open(a.page, encoding="utf-8") as f:
        page = f.read()
    before, rest = page.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    with open(a.page, "w", encoding="utf-8") as f:
        f.write(before + "\n".join(text) + after)
    print("\n".join(text[1:-1]))

    def fastest(tool):
        return max(rate for name, _, _, rate in table if name.startswith(tool))

    wanted = [("1.2 million lines per CPU-second", ours >= 1.2e6)]
    wanted += [(f"{times}x {tool}", ours >= times * fastest(tool)) for tool, times in (("drain3", 20), ("tailspin", 4))]
    wanted += [("4x lnav that writes what it read", ours >= 4 * fastest("lnav 0.11.1 (lnav -n)"))]
    missed = [what for what, held in wanted if not held]
    for what, held in wanted:
        print(f"{'held  ' if held else 'MISSED'}  {what}")
    sys.exit(1 if missed else 0)


main()
