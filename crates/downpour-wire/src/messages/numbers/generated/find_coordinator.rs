//! The numbers of FindCoordinator's answer. Written by `cargo xtask messages`: what is changed here by hand is lost.

use super::{EachNumber, Number, Numbers};
use crate::messages::*;

impl Numbers for FindCoordinatorResponse {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        if version >= 1 {
            each(
                "FindCoordinatorResponse.throttle_time_ms",
                Number::from(&mut self.throttle_time_ms),
            );
        }
        if version <= 3 {
            each(
                "FindCoordinatorResponse.error_code",
                Number::from(&mut self.error_code),
            );
        }
        if version <= 3 {
            each(
                "FindCoordinatorResponse.node_id",
                Number::from(&mut self.node_id),
            );
        }
        if version <= 3 {
            each("FindCoordinatorResponse.port", Number::from(&mut self.port));
        }
        if version >= 4 {
            for it in self.coordinators.iter_mut() {
                it.each_number(version, each);
            }
        }
    }
}

impl Numbers for Coordinator {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each("Coordinator.node_id", Number::from(&mut self.node_id));
        each("Coordinator.port", Number::from(&mut self.port));
        each("Coordinator.error_code", Number::from(&mut self.error_code));
    }
}
