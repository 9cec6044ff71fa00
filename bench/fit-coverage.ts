/**
 * Do the intervals hold what they promise? Simulated ladders of 6 sizes x 4 budgets with noise of one nDCG point (0.01; for losses
 * 1%): how often does the 95% interval of the prediction at four times the largest compute contain the planted law?
 * usage: node build/bench/fit-coverage.js [ladders 1000] [bootstrap resamples a ladder, 0 for none] [form ...]
 * The bootstrap over models is the slow part: 200 resamples a ladder is enough to judge it.
 */
import { scaling } from 'isoflop';

const [ladders = '1000', resamples = '0', ...only] = process.argv.slice(2);
const forms = scaling.FORMS.filter(form => only.length === 0 || only.includes(form));

interface Tally {
  covered: number;
  below: number;
  above: number;
  refused: number;
  width: number;
  squared: number;
  bootstrapCovered: number;
  measured: number;
}

for (const form of forms) {
  const began = performance.now();
  const tally: Tally = {
    covered: 0,
    below: 0,
    above: 0,
    refused: 0,
    width: 0,
    squared: 0,
    bootstrapCovered: 0,
    measured: 0,
  };
  for (let ladder = 0; ladder < Number(ladders); ladder++) one(form, ladder, tally);
  const n = Number(ladders);
  const answered = n - tally.refused;
  const percent = (count: number, of: number) => Number(((100 * count) / of).toFixed(1));
  console.log(
    JSON.stringify({
      bench: 'fit-coverage',
      form,
      ladders: n,
      refused: tally.refused,
      coveredPercent: percent(tally.covered, answered),
      tooLow: tally.below,
      tooHigh: tally.above,
      measurementCoveredPercent: percent(tally.measured, answered),
      meanWidth: Number((tally.width / answered).toPrecision(3)),
      rootMeanSquareError: Number(Math.sqrt(tally.squared / answered).toPrecision(3)),
      ...(Number(resamples) > 0 && { bootstrapCoveredPercent: percent(tally.bootstrapCovered, answered) }),
      seconds: Number(((performance.now() - began) / 1000).toFixed(1)),
    }),
  );
}

function one(form: scaling.FormName, ladder: number, tally: Tally): void {
  const planted = scaling.PLANTED[form];
  const raw = scaling.simulatedLadder({ ...planted, noise: 0.01, seed: `coverage ${ladder}` });
  // the published grid of Chinchilla is needed where nothing is known of the table; here every 24th start finds the same minimum
  const { points, choice } = scaling.choose(raw, { form, starts: 192 });
  const model = scaling.fitModel(points, choice);
  if (model === undefined || model.stages.some(stage => scaling.auditStage(stage).faults.length > 0)) {
    tally.refused++;
    return;
  }
  const [n, d] = [2 * Math.max(...scaling.LADDER_SIZES), 2 * 500 * Math.max(...scaling.LADDER_SIZES)];
  const place = raw.axes.length === 1 ? [6 * n * d] : [n, d];
  const truth = planted.truth(n, d, 6 * n * d);
  const { value, low, high, measurement } = scaling.predictorOf(model, 0.95)(place);
  if (low === null || high === null) {
    tally.refused++;
    return;
  }
  if (high < truth) tally.below++;
  else if (low > truth) tally.above++;
  else tally.covered++;
  const draw = scaling.simulatedLadder({ ...planted, noise: 0.01, seed: `measurement ${ladder}` });
  const noise =
    draw.target.values[0]! -
    planted.truth(draw.axes[0]!.values[0]!, draw.axes[1]?.values[0] ?? 0, draw.compute[0]!);
  const measured =
    planted.target === 'loss' ? truth * Math.exp(noise / draw.target.values[0]!) : truth + noise;
  if ((measurement.low ?? -1) <= measured && measured <= (measurement.high ?? 1e9)) tally.measured++;
  tally.width += high - low;
  tally.squared += (value - truth) ** 2;
  if (Number(resamples) === 0) return;
  const sample = scaling.bootstrap(model, { resamples: Number(resamples), seed: 17 });
  const drawn = scaling.predictorOf(model, 0.95, sample)(place);
  if (drawn.low !== null && drawn.low <= truth && truth <= drawn.high!) tally.bootstrapCovered++;
}
