# SPDX-License-Identifier: ISC
"""The results of test_scenarios.py as a table, and as docs/SCENARIOS.md."""

import json
import os

from scenarios import MORE, SCENARIOS
from scenarios_far import (BESIDE_THE_TABLE, FAR_SCENARIOS, NOT_MADE,
                           TWO_AT_ONCE)

EVERY = SCENARIOS + FAR_SCENARIOS + BESIDE_THE_TABLE + TWO_AT_ONCE + MORE

# what a conclusion has to be about, by the beginning of the code
GROUPS = (("ok", "well"), ("input", "input"), ("local", "local"),
          ("name", "dns"), ("enc", "dns"), ("dns", "dns"),
          ("net", "network"), ("http", "http"), ("captive", "http"),
          ("resp", "responder"), ("cert", "revoked"), ("clock", "clock"),
          ("server", "server"), ("intermittent", "network"))
HEADINGS = ("", "scenario", "made how", "expected", "given", "look-alike",
            "its code", "s", "the tools of 2020")

INTRO = """\
# Scenarios

Networks that lie, fail or only look like it, made in network namespaces, and what `oclasp doctor` says there. Each row is
one run of the real program; beside it stands the scenario that is most easily mistaken for it, and the code that was
given there. The last column is what an operator of 2020 would have concluded on the same network with `dig` at two
resolvers, `ping`, `openssl ocsp` and `openssl s_client -status`: really run there, and read by the rules of
`tests/lab/tools_of_2020.py`. This page is written by `make scenarios`.

Numbers are those of the taxonomy; a word behind one is a variant, words alone are its extra rows, and `+` is two
faults at once.
"""


def rows_of(records):
    """One row of text for each scenario that was run, in their order."""
    given = {record["number"]: record for record in records}
    rows = []
    for scenario in EVERY:
        record = given.get(scenario.number)
        if record is None:
            continue
        alike = given.get(scenario.alike, {}).get("given", "(not run)")
        group, words = record["operator"]
        right = group == group_of(scenario.code)
        codes = [record["given"]]
        codes += [code for code in scenario.also if code in record["also"]]
        rows.append((
            scenario.number, scenario.truth, scenario.made,
            ", ".join((scenario.code, *scenario.also)), ", ".join(codes),
            scenario.alike, alike, f"{record['seconds']:.1f}",
            f"{'' if right else '(wrong) '}{words}"))
    return rows


def group_of(code):
    return next(group for start, group in GROUPS if code.startswith(start))


def totals(records):
    by_number = {scenario.number: scenario for scenario in EVERY}
    right = sum(record["given"] == by_number[record["number"]].code
                for record in records)
    accused = sum(len(record["accused"]) for record in records)
    operator = sum(record["operator"][0]
                   == group_of(by_number[record["number"]].code)
                   for record in records)
    seconds = sorted(record["seconds"] for record in records)
    two = sum("+" in record["number"] for record in records)
    return [
        f"right primary code: {right} of {len(records)}, {two} of them with "
        "two faults at once",
        f"false accusations (injection or a wrong resolver where there is "
        f"none): {accused}",
        f"seconds per run: median {seconds[len(seconds) // 2]:.1f}, longest "
        f"{seconds[-1]:.1f}",
        f"the tools of 2020 led to the right layer: {operator} of "
        f"{len(records)}"]


def records_of(reports):
    return [value for report in reports
            for name, value in report.user_properties if name == "scenario"]


def tell(terminal):
    """Print the table, and leave it in the file that OCLASP_SCENARIOS
    names."""
    reports = [report for kind in ("passed", "failed")
               for report in terminal.stats.get(kind, [])
               if report.when == "call"]
    records = records_of(reports)
    if not records:
        return
    terminal.section("scenarios")
    for number, truth, _, code, given, *rest in rows_of(records):
        terminal.line(f"{number:6} {truth:48.48} {code:40.40} {given:40.40} "
                      + " | ".join(rest))
    for line in totals(records):
        terminal.line(line)
    path = os.environ.get("OCLASP_SCENARIOS")
    if path:
        with open(path, "w", encoding="utf-8") as out:
            json.dump(records, out)


def page(records):
    lines = [INTRO, "| " + " | ".join(HEADINGS) + " |",
             "|" + "---|" * len(HEADINGS)]
    lines += ["| " + " | ".join(row) + " |" for row in rows_of(records)]
    return "\n".join(lines + [""] + [f"- {line[0].upper()}{line[1:]}"
                                     for line in totals(records)]
                     + [f"- Not made, {number}: {why}"
                        for number, why in NOT_MADE.items()]) + "\n"
