//! Reading the brokers to begin at: `host:port`, several separated by commas.

use std::sync::Arc;

use downpour_core::config::Address;

use crate::config::servers;
use crate::error::config::{ConfigProblem, Short};

/// What is wrong with an address, and what to try.
type Trouble = (String, &'static str);

const HOST_AND_PORT: &str = "write host:port, usually host:9092";
const V6: &str = "write IPv6 addresses as [address]:port";

/// All addresses of a text, or a problem for each that is none.
pub(super) fn read(name: &str, text: &str, problems: &mut Vec<ConfigProblem>) -> Vec<Address> {
    if text.contains('@') {
        // A password may have commas: nothing before the last @ is looked at, nor shown.
        let (trouble, remedy) = (
            "brokers take no name or password before the host",
            "write host:port alone",
        );
        let shown = servers::shown(text);
        problems.push(ConfigProblem::invalid(name, shown, trouble, remedy));
        return Vec::new();
    }
    let before = problems.len();
    let mut found = Vec::new();
    let entries = text.split(',').map(str::trim);
    for entry in entries.filter(|entry| !entry.is_empty()) {
        match address(entry) {
            Ok(address) => found.push(address),
            Err((trouble, remedy)) => {
                problems.push(ConfigProblem::invalid(name, entry, trouble, remedy));
            }
        }
    }
    if found.is_empty() && problems.len() == before {
        let (trouble, remedy) = ("names no broker", "name at least one broker as host:port");
        problems.push(ConfigProblem::invalid(name, text, trouble, remedy));
    }
    found
}

fn address(entry: &str) -> Result<Address, Trouble> {
    let fail = |trouble: &str, remedy| Err((trouble.to_owned(), remedy));
    let rest = match entry.split_once("://") {
        None => entry,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("PLAINTEXT") => rest,
        Some((scheme, _)) => {
            let trouble = format!("{} is not supported", Short(scheme));
            return Err((trouble, "use a PLAINTEXT listener and write host:port"));
        }
    };
    if rest.contains(';') {
        return fail("has a semicolon", "separate brokers by commas");
    }
    let (host, port) = match rest.strip_prefix('[') {
        Some(v6) => match v6.split_once("]:") {
            Some(parts) => parts,
            None => return fail("is no IPv6 address with a port", V6),
        },
        None => match rest.rsplit_once(':') {
            Some(parts) => parts,
            None => return fail("has no port", HOST_AND_PORT),
        },
    };
    if host.is_empty() {
        return fail("has no host", HOST_AND_PORT);
    }
    if host.contains(':') && !rest.starts_with('[') {
        return fail("has more than one colon", V6);
    }
    if host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/') {
        let trouble = "the host's name has a character that no host's name has";
        return fail(trouble, HOST_AND_PORT);
    }
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if port != 0 && is_number => Ok(Address {
            host: Arc::from(host),
            port,
        }),
        _ => Err((
            format!("{:?} is no port", Short(port)),
            "use a port from 1 to 65535, usually 9092",
        )),
    }
}
