"""NumPy's side of bench/exact-search: matmul, argpartition, and a sort of the best k, on the vectors of a file.

Speaks JSON lines on stdin/stdout:
  {"open": {"documents": PATH, "queries": PATH, "dimension": n, "batch": n}} -> {"ready": version}
  {"search": k} -> {"seconds": s, "best": [[place, ..], ..]}   (places of the first ten queries)
"""
import json
import sys
import time

import numpy as np


def main():
    documents = queries = None
    batch = 0
    for line in sys.stdin:
        request = json.loads(line)
        if "open" in request:
            o = request["open"]
            batch = o["batch"]
            documents = np.fromfile(o["documents"], dtype="<f4").reshape(-1, o["dimension"])
            queries = np.fromfile(o["queries"], dtype="<f4").reshape(-1, o["dimension"])
            print(json.dumps({"ready": np.__version__}), flush=True)
            continue
        k = request["search"]
        began = time.perf_counter()
        places = []
        for first in range(0, len(queries), batch):
            scores = queries[first : first + batch] @ documents.T
            found = np.argpartition(scores, -k, axis=1)[:, -k:]
            best = np.take_along_axis(scores, found, axis=1)
            order = np.argsort(-best, axis=1)
            places.append(np.take_along_axis(found, order, axis=1))
        places = np.concatenate(places)
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "best": places[:10].tolist()}), flush=True)


if __name__ == "__main__":
    main()
