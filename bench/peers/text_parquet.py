"""Parquet files for the tests of text sources, written by pyarrow.

    python bench/peers/text_parquet.py tests/golden

text.parquet: three row groups, zstd, a dictionary-encoded text column beside others. text-latin1.parquet: a text column whose bytes are not UTF-8.
"""
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq

TEXTS = ["first document", "  ", "na\u00efve \u65e5\u672c\u8a9e \U0001f600", "", "two\nlines", "last"]


def main():
    folder = pathlib.Path(sys.argv[1])
    columns = {"id": list(range(len(TEXTS))), "text": TEXTS, "note": [None, "x", None, "y", None, None]}
    pq.write_table(pa.table(columns), folder / "text.parquet", row_group_size=2, compression="zstd")
    broken = pa.array(["caf\u00e9".encode("latin1")], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": broken}), folder / "text-latin1.parquet", compression="none")


main()
