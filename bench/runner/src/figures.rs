//! Medians, and ratios within a round. How they are printed is in `table`.

use serde_json::Value;

use crate::contestants::Contestant;
use crate::run::Ended;

/// A median with the least and the greatest number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// The runs of all contestants in one cell.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) peers: Vec<&'static Contestant>,
    /// Contestants that cannot take part, each with the reason.
    pub(crate) left_out: Vec<(&'static Contestant, &'static str)>,
    /// By contestant, then by round.
    runs: Vec<Vec<Option<Ended>>>,
}

impl Results {
    pub(crate) fn new(
        peers: &[&'static Contestant],
        left_out: Vec<(&'static Contestant, &'static str)>,
        rounds: usize,
    ) -> Self {
        Self {
            peers: peers.to_vec(),
            left_out,
            runs: peers
                .iter()
                .map(|_| (0..rounds).map(|_| None).collect())
                .collect(),
        }
    }

    pub(crate) fn add(&mut self, peer: usize, round: usize, ended: Ended) {
        self.runs[peer][round] = Some(ended);
    }

    /// The lines of the runs that count.
    pub(crate) fn lines(&self, peer: usize) -> impl Iterator<Item = &Value> {
        self.runs[peer].iter().filter_map(|run| line(run.as_ref()))
    }

    /// Why runs do not count.
    pub(crate) fn voids(&self, peer: usize) -> Vec<&str> {
        let runs = self.runs[peer].iter().flatten();
        runs.filter_map(|ended| match ended {
            Ended::Void(why) => Some(why.as_str()),
            Ended::Counts(_) => None,
        })
        .collect()
    }

    /// A field's median over the rounds; the field is a path such as `/broker/requests`.
    pub(crate) fn spread(&self, peer: usize, field: &str) -> Option<Spread> {
        spread(self.lines(peer).filter_map(|line| number(line, field)))
    }

    /// A field as a multiple of another contestant's in the same round.
    pub(crate) fn ratio(&self, peer: usize, field: &str, to: &str) -> Option<Spread> {
        let base = self.peers.iter().position(|peer| peer.name == to)?;
        let rounds = self.runs[peer].iter().zip(&self.runs[base]);
        spread(rounds.filter_map(|(ours, theirs)| {
            let ours = number(line(ours.as_ref())?, field)?;
            Some(ours / number(line(theirs.as_ref())?, field)?)
        }))
    }
}

fn line(run: Option<&Ended>) -> Option<&Value> {
    match run {
        Some(Ended::Counts(line)) => Some(line),
        Some(Ended::Void(_)) | None => None,
    }
}

fn number(line: &Value, field: &str) -> Option<f64> {
    line.pointer(field)?.as_f64()
}

fn spread(numbers: impl Iterator<Item = f64>) -> Option<Spread> {
    let mut sorted: Vec<f64> = numbers.filter(|number| number.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    Some(Spread {
        median: f64::midpoint(low, high),
        min,
        max,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contestants::CONTESTANTS;

    fn results(runs: [[Option<f64>; 3]; 2]) -> Results {
        let mut results = Results::new(&[&CONTESTANTS[0], &CONTESTANTS[1]], Vec::new(), 3);
        for (peer, rounds) in runs.into_iter().enumerate() {
            for (round, cpu) in rounds.into_iter().enumerate() {
                results.add(
                    peer,
                    round,
                    match cpu {
                        Some(cpu) => Ended::Counts(json!({ "cpu": cpu })),
                        None => Ended::Void("lost one".into()),
                    },
                );
            }
        }
        results
    }

    #[test]
    fn ratios_are_taken_within_a_round_and_only_where_both_count() {
        let results = results([
            [Some(10.0), Some(100.0), Some(50.0)],
            [Some(20.0), Some(300.0), None],
        ]);
        let ratio = results.ratio(1, "/cpu", CONTESTANTS[0].name).unwrap();
        assert_eq!((ratio.median, ratio.min, ratio.max), (2.5, 2.0, 3.0));
        assert_eq!(results.spread(0, "/cpu").unwrap().median, 50.0);
        assert_eq!(results.voids(1), ["lost one"]);
        assert_eq!(results.spread(0, "/none"), None);
    }
}
