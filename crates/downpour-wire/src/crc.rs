//! CRC-32C, appended and combined. To come.
