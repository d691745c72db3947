//! Text to settings: a file of properties as the command reads it, the names that the library knows,
//! and addresses. Nothing panics, the same text is told the same problems, and no secret is shown.

use downpour::ProducerBuilder;
use downpour_core::config::{Acks, Address};

/// The reader of the command.
#[path = "../../crates/downpour-cli/src/settings/file.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a module of the command")]
mod file;

/// What a secret looks like that must not come back.
const SECRET: &str = "hush-hush";

/// Reads the bytes as a file of properties, and as an address.
pub fn run(bytes: &[u8]) {
    let text = file::text(bytes);
    address(text.lines().next().unwrap_or_default());
    let Ok(properties) = file::parse(&text) else {
        return;
    };
    assert!(properties.iter().all(|property| property.line > 0));
    let told = |with_secrets: bool| {
        let mut builder = ProducerBuilder::new();
        for property in &properties {
            builder = builder.property(&property.name, &property.value);
        }
        if with_secrets {
            builder = builder.property("sasl.password", SECRET);
        }
        let shown = format!("{builder:?}");
        // A producer would begin a thread; what contradicts what is said before.
        let problems = downpour::simulation::check(builder).map_err(|error| error.to_string());
        (shown, problems)
    };
    assert_eq!(told(false), told(false), "of {text:?}");
    let has_it = text.contains("hush");
    let (shown, problems) = told(true);
    assert!(has_it || !shown.contains(SECRET), "{shown}");
    assert!(has_it || !format!("{problems:?}").contains(SECRET));
    assert!(problems.is_err(), "there is no SASL yet");
}

fn address(text: &str) {
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
    if let Ok(acks) = text.parse::<Acks>() {
        assert_eq!(acks.to_string().parse(), Ok(acks));
    }
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let page = include_str!("../../crates/downpour/src/config/properties/java.txt");
    let mut seeds = vec![
        b"localhost:9092\n[::1]:65535".to_vec(),
        b"bootstrap.servers = a:1,b:2\\\n  ,[::1]:3\nacks: all\n# a remark\nlinger.ms 5".to_vec(),
        b"bootstrap.servers=me:pw@h:1\ncompression.type=gzip\nbatch.size=0x10\n\\u0061cks=1"
            .to_vec(),
        b"security.protocol=SASL_SSL\nsasl.password=x\nenable.idempotence=true\nacks=0".to_vec(),
    ];
    for (at, name) in page.lines().filter(|line| !line.is_empty()).enumerate() {
        let value = ["1", "true", "-1", "all", "a:1", "9223372036854775807"][at % 6];
        seeds.push(format!("bootstrap.servers=h:1\n{name}={value}").into_bytes());
    }
    seeds
}
