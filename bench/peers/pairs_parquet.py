"""Writes the small parquet files that src/data/pairs.test.ts reads: python pairs_parquet.py OUT_DIR (needs pyarrow)."""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

TUPLES = {
    "anchor": ["q one", "q two"],
    "positive": ["p one", "p two \u00e9"],
    "negative_1": ["n one", "n two"],
    "negative_2": ["n three", None],
}

PASSAGES = [
    {
        "query_id": i,
        "query": f"query {i}",
        "positive_passages": [{"docid": f"p{i}", "title": "Title", "text": "body"}],
        "negative_passages": [{"docid": f"n{i}-{j}", "title": "", "text": f"negative {j}"} for j in range(2)],
    }
    for i in range(3)
]

MINED = [
    {
        "query_id": "a",
        "query": "query a",
        "pos": ["p"],
        "pos_ids": ["1"],
        "neg": ["n1", "n2"],
        "neg_ids": ["2", "3"],
        "neg_scores": [2.5, 1.25],
        "neg_ranks": [1, 4],
    }
]


def main(out: Path) -> None:
    pq.write_table(pa.table(TUPLES), out / "pairs-tuples.parquet", compression="zstd")
    pq.write_table(pa.Table.from_pylist(PASSAGES), out / "pairs-passages.parquet", compression="snappy", row_group_size=2)
    pq.write_table(pa.Table.from_pylist(MINED), out / "pairs-mined.parquet", compression="gzip")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
