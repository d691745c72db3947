//! The page of all lines is compared with the code that writes them.

const PAGE: &str = include_str!("../../../LOGGING.md");
const SOURCES: [&str; 2] = [include_str!("../log.rs"), include_str!("operators.rs")];

/// The level and the words of each line that a source writes.
fn lines(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for call in source.split("tracing::").skip(1) {
        let Some((level, rest)) = call.split_once("!(") else {
            continue;
        };
        // The words are the last string of the call; `\` at the end of a line joins it to the next.
        let end = rest.find(");").unwrap_or(rest.len());
        let end = rest
            .find(",\n                Some")
            .map_or(end, |at| at.min(end));
        let quoted: Vec<&str> = rest[..end].split('"').collect();
        let Some(words) = quoted.iter().rev().nth(1) else {
            continue;
        };
        let words = words.replace("\\\n", " ");
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        found.push((level.to_owned(), words));
    }
    found
}

/// As the page has it: with everything that is put into the words.
fn variants(words: &str) -> Vec<String> {
    let whats = [
        "metadata, without which no topic is found",
        "a producer id, without which nothing is sent",
    ];
    match words.contains("{what}") {
        true => whats.map(|what| words.replace("{what}", what)).to_vec(),
        false => vec![words.to_owned()],
    }
}

#[test]
fn the_page_has_every_line_that_is_written_and_no_other() {
    let mut rows: Vec<(String, String)> = Vec::new();
    for row in PAGE.lines().filter(|row| row.starts_with("| `")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let level = cells[0].trim_matches(['|', ' ', '`']);
        // The second table has no fields, and is of other files.
        if cells.len() == 4 {
            rows.push((level.to_owned(), cells[1].trim().to_owned()));
        }
    }
    assert!(rows.len() > 30, "{rows:#?}");
    let mut written = Vec::new();
    for (level, words) in SOURCES.into_iter().flat_map(lines) {
        for words in variants(&words) {
            // What is said at info or warn is said at debug again, and listed once.
            let is_listed =
                |(l, w): &(String, String)| *w == words && (*l == level || level == "debug");
            assert!(
                rows.iter().any(is_listed),
                "not in LOGGING.md: {level}: {words}"
            );
            written.push((level.clone(), words));
        }
    }
    for row in &rows {
        assert!(written.contains(row), "nobody writes {row:?}");
    }
}
