import { Option } from 'commander';
import { addCommand, emit, type Register } from './command.ts';
import { integer, share } from './values.ts';

interface EvalOptions {
  readonly measures?: string[];
  readonly perQuery?: true;
  readonly ties: 'expected' | 'none';
  readonly missing: 'zero' | 'drop';
  readonly removeSelf?: true;
  readonly float32?: true;
  readonly thirdColumn?: 'scores' | 'ranks';
  readonly test: 'randomisation' | 'bootstrap';
  readonly permutations: number;
  readonly resamples: number;
  readonly level: number;
  readonly seed: number;
  readonly json?: boolean;
}

export const registerEval: Register = (program, io) => {
  addCommand(program, {
    name: 'eval',
    summary: 'score runs against relevance judgements, equal to trec_eval',
    details: `QRELS is a TREC file of four columns or a BEIR file of three. RUN has TREC's six columns, or three: query, document, score.
Documents rank by score, equal scores by document id, larger ids first, as in trec_eval; no document is dropped.
Judged queries that a run lacks count as 0. Measures are accepted in every tool's spelling: nDCG@10, ndcg_cut_10, recall_at_100, map, MRR@10.
With several runs every pair is tested under every measure, and the p values are corrected for the number of tests (Holm).`,
    examples: [
      'isoflop eval scifact/qrels/test.tsv bm25.run -m nDCG@10 R@100',
      'isoflop eval qrels.txt baseline.run new.run --json',
    ],
  })
    .argument('<qrels>', 'relevance judgements')
    .argument('<runs...>', 'one run file or more')
    .option('-m, --measures <names...>', 'what to report (default: nDCG@10 R@100 AP RR@10 P@10 Judged@10)')
    .option('-q, --per-query', 'also print every query')
    .addOption(
      new Option('--ties <how>', 'report the expected value over equal scores, and how many there are')
        .choices(['expected', 'none'])
        .default('expected'),
    )
    .addOption(
      new Option('--missing <how>', 'judged queries without results: count 0, or drop as pytrec_eval does')
        .choices(['zero', 'drop'])
        .default('zero'),
    )
    .option('--remove-self', "drop documents whose id is the query's (ArguAna, Quora)")
    .option('--float32', 'compare scores in single precision, as trec_eval before 9.0.8 and pytrec_eval do')
    .addOption(
      new Option('--third-column <what>', 'what a run of three columns holds').choices(['scores', 'ranks']),
    )
    .addOption(
      new Option('--test <name>', 'test between runs')
        .choices(['randomisation', 'bootstrap'])
        .default('randomisation'),
    )
    .option('--permutations <n>', 'random exchanges of that test', integer(1), 10_000)
    .option('--resamples <n>', 'bootstrap resamples', integer(1), 1000)
    .option('--level <share>', 'coverage of intervals', share, 0.95)
    .option('--seed <n>', 'seed of all resampling', integer(0), 17)
    .action(async (qrelsPath: string, runPaths: string[], options: EvalOptions) => {
      const { evaluateFiles, evaluationText } = await import('../metrics/index.ts');
      const { summaries, comparisons, warnings } = await evaluateFiles(qrelsPath, runPaths, {
        ...options,
        signal: io.signal,
      });
      for (const warning of warnings) io.log(`warning: ${warning}\n`);
      const value = summaries.length === 1 ? summaries[0] : { runs: summaries, comparisons };
      emit(io, options, value, () => evaluationText(summaries, comparisons));
    });
};
