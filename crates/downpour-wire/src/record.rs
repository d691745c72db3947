//! A record as the caller hands it over. To come.
