//! What a seed decides beside its plan: parts of the public interface that not every run uses, and
//! trouble that runs did not know at first. Drawn from a stream of its own, so that what a seed
//! decided before there was any of this stays as it was.

use std::time::Duration;

use downpour_fake::{ApiKey, ErrorCode, Fault};

use crate::checker::Order;
use crate::extras::Extras;
use crate::plan::{Plan, Verb};
use crate::rng::Rng;
use crate::trouble::{Cut, Stage, Trouble};

/// Bytes that headers add to a record at most.
const HEADERS: usize = 64;

/// Draws them, and changes the plan where they need it.
pub(crate) fn add(plan: &mut Plan, seed: u64) {
    let mut rng = Rng::new(seed ^ 0x00e8_74a5);
    let rng = &mut rng;
    plan.extras = Extras {
        free: *rng.pick(&[0, 0, 0, 30, 100]),
        dressed: *rng.pick(&[0, 0, 50]),
        fickle: *rng.pick(&[0, 30]),
        interrupted: *rng.pick(&[0, 0, 10]),
        impossible: *rng.pick(&[0, 0, 0, 5]),
        own_partitioner: rng.percent(10),
    };
    if plan.extras.dressed > 0 {
        let config = &mut plan.config;
        config.batch_max += HEADERS;
        config.request_max = config.request_max.max(config.batch_max);
        plan.memory += 2 * HEADERS;
    }
    if rng.percent(15) {
        plan.verbs.push(Verb::Handle);
    }
    if rng.percent(5) {
        for address in &mut plan.config.bootstrap {
            let number = address.host.strip_prefix("broker-");
            let number = number.and_then(|rest| rest.strip_suffix(".fake"));
            if let Some(number) = number {
                address.host = format!("10.0.0.{number}").into();
            }
        }
    }
    if plan.calm || plan.phases.iter().all(|phase| phase.trouble.is_empty()) {
        return;
    }
    let span = plan.phases[0].heal_after;
    if rng.percent(10) {
        let how = *rng.pick(&[Cut::Garbled, Cut::Unasked]);
        let which = rng.next();
        let at = rng.time(Duration::ZERO, span);
        plan.phases[0]
            .trouble
            .push((at, Trouble::Cut { which, how }));
    }
    let asked = |code: ErrorCode| Fault::error(code).on(ApiKey::Metadata);
    if rng.percent(5) {
        let fault = asked(ErrorCode::REBOOTSTRAP_REQUIRED).nth(rng.between(1, 4));
        script(plan, fault, "REBOOTSTRAP_REQUIRED");
    }
    if rng.percent(5) {
        let fault = Fault::error(ErrorCode::UNKNOWN_SERVER_ERROR).on(ApiKey::ApiVersions);
        script(plan, fault.nth(rng.between(1, 3)), "ApiVersions refused");
    }
    if rng.percent(5) {
        let fault = Fault::error(ErrorCode::UNKNOWN_LEADER_EPOCH).on(ApiKey::Produce);
        script(plan, fault.nth(rng.between(1, 8)), "UNKNOWN_LEADER_EPOCH");
    }
    // It takes a partition that many records are for.
    if !plan.expect.all_delivered && rng.percent(10) {
        plan.extras.free = 0;
        let unlucky = stage(plan).draw_unlucky(rng);
        plan.phases[0].trouble.extend(unlucky);
    }
    // A topic that is refused for good once is asked for again by the next record.
    if !plan.expect.all_delivered && rng.percent(8) {
        let topic = rng.pick(&plan.topics).name.clone();
        let fault = asked(ErrorCode::TOPIC_AUTHORIZATION_FAILED).topic(topic);
        let fault = fault.times(rng.between(1, 3)).nth(rng.between(1, 3));
        script(plan, fault, "Metadata refuses a topic");
    }
    let (topic, at) = (
        rng.size(0, plan.topics.len() - 1),
        rng.time(Duration::ZERO, span),
    );
    let partitions = plan.topics[topic].partitions;
    let grows = rng.percent(6);
    let is_remade = rng.percent(8) && !plan.expect.all_delivered && !grows;
    let change = if grows {
        let more = rng.between(1, 3) as i32;
        Trouble::Grow { topic, more }
    } else if is_remade {
        Trouble::Remake {
            topic,
            partitions: rng.between(1, partitions as u64 + 2) as i32,
            back_after: *rng.pick(&[Duration::ZERO, rng.clone().millis(1, 300), 2 * span]),
        }
    } else {
        return;
    };
    plan.phases[0].trouble.push((at, change));
    plan.extras.own_partitioner = false;
    if plan.verbs.contains(&Verb::Many) {
        // Of many that are sent together nobody could say beforehand where each goes.
        plan.extras.free = 0;
    }
    if is_remade {
        // What is written to the topic that is deleted may be written to the next one again.
        (plan.expect.duplicates, plan.expect.order) = (true, Order::Any);
    }
}

fn stage(plan: &Plan) -> Stage {
    let topics = plan.topics.iter().map(|t| (t.name.clone(), t.partitions));
    Stage {
        brokers: plan.brokers,
        topics: topics.collect(),
        span: plan.phases[0].heal_after,
        rough: true,
        request_timeout: plan.config.request_timeout,
    }
}

fn script(plan: &mut Plan, fault: Fault, name: &'static str) {
    let trouble = Trouble::Script(fault, name);
    plan.phases[0].trouble.push((Duration::ZERO, trouble));
}
