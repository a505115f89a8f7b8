"""A workbook of members, and how quickly openpyxl alone reads it."""

import subprocess
import sys
from pathlib import Path

import xlsxwriter

HEADERS = (
    "Bedrijf", "Rekeningnummer", "Limiet", "E-mailadres", "Straat", "Postcode", "Plaats", "KVK",
)  # fmt: skip

READ = """
import sys, time, openpyxl
begin = time.perf_counter()
book = openpyxl.load_workbook(sys.argv[1], read_only=True, data_only=True)
rows = sum(1 for row in book.worksheets[0].iter_rows(values_only=True))
print(rows / (time.perf_counter() - begin), time.process_time() * 1e6 / rows)
"""


def workbook(path: Path, environment: int, rows: int, *, name: str) -> bytes:
    """Members as an administrator lists them; eight columns."""
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Leden")
        sheet.write_row(0, 0, HEADERS)
        for n in range(1, rows + 1):
            sheet.write_row(
                n, 0,
                (f"{name} {n} B.V.", environment * 1_000_000 + n, n % 500 + 0.5,
                 f"info{n}@{name.lower()}.nl", f"Dorpsstraat {n % 300 + 1}",
                 f"{1000 + n % 8999} AB", "Houten", f"{n:08}"),
            )  # fmt: skip
    return path.read_bytes()


def openpyxl_rate(path: Path) -> tuple[float, float]:
    """Rows a second of openpyxl alone, and its CPU a row in microseconds."""
    run = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True
    )
    rate, cpu_us = run.stdout.split()
    return float(rate), float(cpu_us)
