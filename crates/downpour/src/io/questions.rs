//! Who asked without sending, and waits for the engine's answer. What is asked when, the engine knows.

use std::sync::Arc;
use std::task::Waker;

use downpour_core::produce::ClusterUpdate;

use crate::shared::question::{Holders, Question};

/// Those who were not answered yet. Each has one caller that waits.
#[derive(Debug, Default)]
pub(super) struct Questions {
    cluster: Vec<Arc<Question<ClusterUpdate>>>,
    partitions: Vec<(u32, Arc<Question<Holders>>)>,
}

/// Whether its caller waits still.
fn is_awaited<T>(question: &Arc<T>) -> bool {
    Arc::strong_count(question) > 1
}

impl Questions {
    pub(super) fn add_cluster(&mut self, question: Arc<Question<ClusterUpdate>>) {
        self.cluster.retain(is_awaited);
        self.cluster.push(question);
    }

    pub(super) fn add_partitions(&mut self, topic: u32, question: Arc<Question<Holders>>) {
        self.partitions.retain(|(_, question)| is_awaited(question));
        self.partitions.push((topic, question));
    }

    pub(super) fn answer_cluster(&mut self, update: &ClusterUpdate, woken: &mut Vec<Waker>) {
        for question in self.cluster.drain(..) {
            question.answer(update.clone(), woken);
        }
    }

    pub(super) fn answer_partitions(
        &mut self,
        topic: u32,
        answer: &Holders,
        woken: &mut Vec<Waker>,
    ) {
        self.partitions.retain(|(asked, question)| {
            if *asked == topic {
                question.answer(answer.clone(), woken);
            }
            *asked != topic
        });
    }
}
