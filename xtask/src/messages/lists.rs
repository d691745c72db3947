//! Writes what names all messages: the keys, the modules, the lists that the tests go through.

use super::definition::{Message, snake};
use super::table::{APIS, Api, Side};

pub(super) const HEAD: &str =
    "Written by `cargo xtask messages`: what is changed here by hand is lost.";

/// The module that holds the messages and names what is in them.
pub(super) fn modules(apis: &[(&Api, Message, Message)]) -> String {
    let mut modules = String::from("pub(super) mod api_key;\n");
    let mut uses = String::new();
    for (api, request, response) in apis {
        let cfg = match api.side {
            Side::Others => "#[cfg(feature = \"broker\")]\n",
            Side::Producer => "",
        };
        let module = snake(api.name);
        let structs = request.structs.iter().chain(&response.structs);
        let names: Vec<_> = structs.map(|part| part.name.as_str()).collect();
        modules.push_str(&format!("{cfg}mod {module};\n"));
        uses.push_str(&format!(
            "{cfg}pub use {module}::{{{}}};\n",
            names.join(", ")
        ));
    }
    format!("//! The messages that are made from Kafka's definitions. {HEAD}\n\n{modules}\n{uses}")
}

/// The keys and the versions.
pub(super) fn api_key(apis: &[(&Api, Message, Message)]) -> String {
    let lines = |line: &dyn Fn(&Api, &Message) -> String| -> String {
        let lines = apis.iter().map(|(api, request, _)| line(api, request));
        lines.collect()
    };
    let keys =
        lines(&|api, request| format!("/// {}\n{} = {},\n", api.about.0, api.name, request.key));
    let all = lines(&|api, _| format!("Self::{},\n", api.name));
    let versions = lines(&|api, _| format!("Self::{} => {:?},\n", api.name, api.versions));
    let flexible = lines(&|api, request| match request.flexible {
        Some(first) => format!("Self::{} => {first},\n", api.name),
        None => format!("Self::{} => i16::MAX,\n", api.name),
    });
    format!(
        "//! Which requests there are, and in which versions. {HEAD}\n\n\
         /// A request that this crate reads and writes.\n\
         #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]\n\
         #[non_exhaustive]\n#[repr(i16)]\npub enum ApiKey {{\n{keys}}}\n\n\
         impl ApiKey {{\n/// In ascending order.\npub const ALL: &[Self] = &[\n{all}];\n\n\
         /// The lowest and highest version that this crate reads and writes.\n#[must_use]\n\
         pub const fn versions(self) -> (i16, i16) {{ match self {{\n{versions}}} }}\n\n\
         /// The first version with compact lengths and tagged fields (KIP-482), request and response\n\
         /// alike; the highest number if there is none.\n#[must_use]\n\
         pub const fn first_flexible(self) -> i16 {{ match self {{\n{flexible}}} }}\n}}\n"
    )
}

/// The module of the samples, and the lists of all messages and requests.
pub(super) fn samples() -> String {
    let modules: String = APIS
        .iter()
        .map(|api| format!("mod {};\n", snake(api.name)))
        .collect();
    let all: Vec<&Api> = APIS.iter().collect();
    let read: Vec<&Api> = APIS.iter().filter(|api| api.is_read()).collect();
    let list = |apis: &[&Api], parts: &[&str]| -> String {
        let names = apis
            .iter()
            .flat_map(|api| parts.iter().map(move |part| format!("{}{part}", api.name)));
        names.collect::<Vec<_>>().join(", ")
    };
    format!(
        "//! Samples of the generated messages, and lists of all. {HEAD}\n\n{modules}\n\
         use super::super::entropy::Entropy;\nuse super::sample::Sample;\n\n\
         /// Calls `$then!` with every message.\n\
         #[allow(unused_macros, reason = \"not every test needs it\")]\n\
         macro_rules! each_message {{ ($then:ident) => {{ $then! {{ {} }} }}; }}\n\
         #[allow(unused_imports, reason = \"not every test needs it\")]\n\
         pub(crate) use each_message;\n\n\
         /// Calls `$then!` with every request.\n\
         #[allow(unused_macros, reason = \"not every test needs it\")]\n\
         macro_rules! each_request {{ ($then:ident) => {{ $then! {{ {} }} }}; }}\n\
         #[allow(unused_imports, reason = \"not every test needs it\")]\n\
         pub(crate) use each_request;\n\n\
         /// Calls `$then!` with every answer that a producer reads.\n\
         #[allow(unused_macros, reason = \"not every test needs it\")]\n\
         macro_rules! each_answer {{ ($then:ident) => {{ $then! {{ {} }} }}; }}\n\
         #[allow(unused_imports, reason = \"not every test needs it\")]\n\
         pub(crate) use each_answer;\n",
        list(&all, &["Request", "Response"]),
        list(&all, &["Request"]),
        list(&read, &["Response"]),
    )
}

/// The module of the twins.
pub(super) fn twins() -> String {
    let modules: String = APIS
        .iter()
        .map(|api| format!("mod {};\n", snake(api.name)))
        .collect();
    format!(
        "//! Twins of the generated messages. {HEAD}\n\n{modules}\n\
         use super::{{Twin, all, id, make, some_text, text}};\n"
    )
}
