"""Reads a corpus as BEIR's loader does (json.loads a line, a dictionary of all documents): python readers_beir.py CORPUS.jsonl. Prints the count."""

import json
import sys


def main(path: str) -> None:
    corpus = {}
    with open(path, encoding="utf8") as file:
        for line in file:
            record = json.loads(line)
            corpus[record["_id"]] = {"text": record.get("text"), "title": record.get("title")}
    print(len(corpus))


if __name__ == "__main__":
    main(sys.argv[1])
