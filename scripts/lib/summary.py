#!/usr/bin/python3
"""Counts what the test programs reported: summary.py RESULTS_DIR.

RESULTS_DIR holds JUnit files (*.xml, from GoogleTest and pytest) and *.exit files, each with the exit code of one
program that wrote (or should have written) the JUnit file of the same name. A program that failed without a failed
case of its own, or left no report, counts as one failure. Prints the failures, then `N passed, N failed`; exit code 1
when anything failed or nothing passed.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def count_cases(path):
    """Returns (passed, names of failed cases) of one JUnit file."""
    passed, failed = 0, []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{case.get('classname', '')}.{case.get('name', '')}")
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            failed.append(f"{case.get('classname', '')}.{case.get('name', '')} (skipped)")
        else:
            passed += 1
    return passed, failed


def main():
    results = pathlib.Path(sys.argv[1])
    passed, failures = 0, []
    for exit_file in sorted(results.glob("*.exit")):
        code = int(exit_file.read_text().strip())
        report = exit_file.with_suffix(".xml")
        cases_failed = []
        if report.exists():
            try:
                cases_passed, cases_failed = count_cases(report)
                passed += cases_passed
            except ElementTree.ParseError:
                cases_failed = [f"{exit_file.stem}: report cut short"]
        elif code == 0:
            passed += 1
        failures += [f"{exit_file.stem}: {name}" for name in cases_failed]
        if code != 0 and not cases_failed:
            failures.append(f"{exit_file.stem}: exit code {code}, see {exit_file.with_suffix('.log')}")
    for failure in failures:
        print(f"FAILED {failure}")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
