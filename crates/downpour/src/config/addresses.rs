//! Reading the brokers to begin at: `host:port`, several separated by commas.

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
    let rest = match entry.split_once("://") {
        None => entry,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("PLAINTEXT") => rest,
        Some((scheme, _)) => {
            let trouble = format!("{} is not supported", Short(scheme));
            return Err((trouble, "use a PLAINTEXT listener and write host:port"));
        }
    };
    rest.parse().map_err(|_| trouble(rest))
}

/// What is wrong with a text that is no address.
fn trouble(text: &str) -> Trouble {
    let of = |trouble: &str, remedy| (trouble.to_owned(), remedy);
    if text.contains(';') {
        return of("has a semicolon", "separate brokers by commas");
    }
    let are_several = text.split_whitespace().count() > 1 && text.matches(':').count() > 1;
    if are_several {
        return of("are several", "separate brokers by commas");
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(v6) => match v6.split_once("]:") {
            Some((host, port)) if host.contains(':') => (host, port),
            _ => return of("is no IPv6 address with a port", V6),
        },
        None => match text.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => return of("has more than one colon", V6),
            Some(parts) => parts,
            None => return of("has no port", HOST_AND_PORT),
        },
    };
    if host.is_empty() {
        return of("has no host", HOST_AND_PORT);
    }
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || !port.parse().is_ok_and(|port: u16| port != 0) {
        let trouble = format!("{:?} is no port", Short(port));
        return (trouble, "use a port from 1 to 65535, usually 9092");
    }
    let trouble = "the host's name has a character that no host's name has";
    of(trouble, HOST_AND_PORT)
}
