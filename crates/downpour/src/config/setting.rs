//! One setting while the configuration is being written: what was said, and under which name.
//!
//! Errors use the name that the caller used, so it stays with the value.

/// A setting that was said or not, by its setter or by a property.
#[derive(Debug, Clone)]
pub(crate) struct Setting<T> {
    /// The setter's name; it stands for the setting as long as nothing was said.
    setter: &'static str,
    said: Option<(&'static str, T)>,
}

impl<T> Setting<T> {
    /// Not said yet.
    pub(crate) const fn unsaid(setter: &'static str) -> Self {
        Self { setter, said: None }
    }

    /// Said by its setter.
    pub(crate) fn set(&mut self, value: T) {
        self.said = Some((self.setter, value));
    }

    /// Said by the property of this name.
    pub(crate) fn set_as(&mut self, property: &'static str, value: T) {
        self.said = Some((property, value));
    }

    /// Takes back whatever was said: the default holds.
    pub(crate) fn forget(&mut self) {
        self.said = None;
    }

    /// The setter's name, whatever name was used.
    #[cfg(test)]
    pub(crate) fn setter(&self) -> &'static str {
        self.setter
    }

    /// The name that the caller used.
    pub(crate) fn name(&self) -> &'static str {
        self.said.as_ref().map_or(self.setter, |(name, _)| name)
    }

    /// What was said.
    pub(crate) fn get(&self) -> Option<&T> {
        self.said.as_ref().map(|(_, value)| value)
    }

    /// Whether anything was said.
    pub(crate) fn is_said(&self) -> bool {
        self.said.is_some()
    }
}

impl<T: Clone> Setting<T> {
    /// What was said, or this.
    pub(crate) fn or(&self, default: T) -> T {
        self.get().cloned().unwrap_or(default)
    }

    /// Writes what was said over this.
    pub(crate) fn put(&self, target: &mut T) {
        if let Some(value) = self.get() {
            *target = value.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Setting;

    #[test]
    fn the_later_word_counts_and_its_name_with_it() {
        let mut linger = Setting::unsaid("linger");
        assert_eq!(
            (linger.name(), linger.is_said(), linger.or(5)),
            ("linger", false, 5)
        );
        linger.set_as("queue.buffering.max.ms", 7);
        assert_eq!((linger.name(), linger.or(5)), ("queue.buffering.max.ms", 7));
        linger.set(9);
        assert_eq!((linger.name(), linger.get()), ("linger", Some(&9)));
        linger.forget();
        assert_eq!((linger.name(), linger.get()), ("linger", None));
    }
}
