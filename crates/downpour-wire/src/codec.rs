//! The compression codecs. To come.
