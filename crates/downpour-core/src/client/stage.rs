//! How far a connection has come. Stages follow one another and none comes twice.
//!
//! What is asked of the broker in each is the engine's matter.

use crate::client::versions::Versions;

/// How far a connection has come.
#[derive(Debug)]
pub(crate) enum Stage {
    /// The socket is being opened.
    Connecting,
    /// The broker was asked which versions it speaks.
    Negotiating,
    /// Requests may be sent, in these versions.
    Usable(Versions),
}

impl Stage {
    /// The socket is open. Like all of these, whether that led to another stage.
    pub(super) fn handle_connected(&mut self) -> bool {
        let leads_on = matches!(self, Self::Connecting);
        if leads_on {
            *self = Self::Negotiating;
        }
        leads_on
    }

    /// The versions are known. Whatever else a connection needs before it can be used is a stage
    /// between these two.
    pub(super) fn handle_versions(&mut self, versions: Versions) -> bool {
        let leads_on = matches!(self, Self::Negotiating);
        if leads_on {
            *self = Self::Usable(versions);
        }
        leads_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_one_another_and_none_comes_twice() {
        let mut stage = Stage::Connecting;
        assert!(!stage.handle_versions(Versions::default()));
        assert!(matches!(stage, Stage::Connecting));
        assert!(stage.handle_connected() && !stage.handle_connected());
        assert!(matches!(stage, Stage::Negotiating));
        assert!(stage.handle_versions(Versions::default()));
        assert!(!stage.handle_connected() && !stage.handle_versions(Versions::default()));
        assert!(matches!(stage, Stage::Usable(_)));
    }
}
