//! Runs a model often, each time in another order.

/// How often a model runs, in orders of either kind; the suite has a minute for all of them.
pub(super) const OFTEN: usize = 2_000;
/// The same for one that is large.
#[cfg(feature = "simulation")]
pub(super) const SELDOM: usize = 300;

/// Preemptions that a bug may need.
#[cfg(downpour_shuttle)]
const DEPTH: usize = 3;
/// `SHUTTLE_RANDOM_SEED` in the environment takes its place; a failure prints the one it had.
#[cfg(downpour_shuttle)]
const SEED: u64 = 0x5eed;

/// Runs a model so many times at random, and as often with few preemptions at chosen places.
#[cfg(downpour_shuttle)]
pub(super) fn explore(times: usize, model: impl Fn() + Send + Sync + 'static) {
    use shuttle::scheduler::{PctScheduler, RandomScheduler};
    let mut config = shuttle::Config::new();
    config.failure_persistence = shuttle::FailurePersistence::Print;
    config.stack_size = 1 << 18;
    let model = std::sync::Arc::new(model);
    let again = model.clone();
    let random = RandomScheduler::new_from_seed(SEED, times);
    shuttle::Runner::new(random, config.clone()).run(move || model());
    let chosen = PctScheduler::new_from_seed(SEED, DEPTH, times);
    shuttle::Runner::new(chosen, config).run(move || again());
}

/// Runs a model on real threads, in the orders that come.
#[cfg(not(downpour_shuttle))]
pub(super) fn explore(times: usize, model: impl Fn() + Send + Sync + 'static) {
    let times = if cfg!(miri) { 2 } else { times / 40 };
    (0..times).for_each(|_| model());
}
