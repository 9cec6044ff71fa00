"""SciPy's L-BFGS-B on the summed Huber of log residuals of Chinchilla's law, from given starts: the peer of bench/fit-speed.ts.

Reads one JSON object from stdin: {"tables": [{"params": [...], "tokens": [...], "loss": [...], "starts": [[a, b, e, alpha, beta], ...]}],
"delta": 1e-3, "analytic": true}. Writes one JSON line a table: the lowest objective, the seconds, and the coefficients.
The objective is that of Hoffmann et al. (2022). With "analytic" its gradient is given; without, SciPy takes finite differences,
which is what a call without `jac` does. Tolerances are SciPy's own.
"""

import json
import sys
import time

import numpy as np
from scipy.optimize import minimize


def objective(theta, log_n, log_d, log_loss, delta):
    a, b, e, alpha, beta = theta
    terms = np.stack([a - alpha * log_n, b - beta * log_d, np.full_like(log_n, e)])
    top = terms.max(axis=0)
    weights = np.exp(terms - top)
    total = weights.sum(axis=0)
    residual = top + np.log(total) - log_loss
    weights /= total
    size = np.abs(residual)
    value = np.where(size <= delta, 0.5 * residual**2, delta * (size - 0.5 * delta)).sum()
    pull = np.clip(residual, -delta, delta)
    first, second, third = pull * weights
    return value, np.array([first.sum(), second.sum(), third.sum(), -(first @ log_n), -(second @ log_d)])


def value_only(theta, log_n, log_d, log_loss, delta):
    a, b, e, alpha, beta = theta
    terms = np.stack([a - alpha * log_n, b - beta * log_d, np.full_like(log_n, e)])
    top = terms.max(axis=0)
    size = np.abs(top + np.log(np.exp(terms - top).sum(axis=0)) - log_loss)
    return np.where(size <= delta, 0.5 * size**2, delta * (size - 0.5 * delta)).sum()


def main():
    request = json.load(sys.stdin)
    for table in request["tables"]:
        data = [np.log(np.asarray(table[name])) for name in ("params", "tokens", "loss")]
        began = time.perf_counter()
        best = None
        with np.errstate(all="ignore"):
            for start in table["starts"]:
                found = minimize(
                    objective if request["analytic"] else value_only,
                    np.asarray(start),
                    args=(*data, request["delta"]),
                    jac=request["analytic"] or None,
                    method="L-BFGS-B",
                )
                if best is None or found.fun < best.fun:
                    best = found
        seconds = time.perf_counter() - began
        a, b, e, alpha, beta = best.x
        coefficients = [float(np.exp(e)), float(np.exp(a)), float(np.exp(b)), float(alpha), float(beta)]
        print(json.dumps({"objective": float(best.fun), "seconds": seconds, "coefficients": coefficients}), flush=True)


if __name__ == "__main__":
    main()
