//! Reads one Rust file's tokens: the modules and structs it declares and the paths it names.
//! What a path means within its crate is resolved by `modules`.

use proc_macro2::{Group, TokenStream, TokenTree};

use super::structs::StructDecl;
use super::tokens::{attribute, brace_group, is_path_sep, is_punct, word};

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Every `mod name;` and `mod name { .. }`.
    pub(super) mods: Vec<ModDecl>,
    /// Every path outside tests that has at least two segments.
    pub(super) paths: Vec<UsedPath>,
    /// Every struct outside tests.
    pub(super) structs: Vec<StructDecl>,
}

/// A declared module.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ModDecl {
    /// The inline modules around the declaration.
    pub(super) scope: Vec<String>,
    pub(super) name: String,
    /// Whether it is `mod name { .. }`.
    pub(super) is_inline: bool,
    /// Whether it exists in tests only.
    pub(super) is_test: bool,
    /// Where a `#[path]` says its file is.
    pub(super) moved_to: Option<String>,
}

/// A path as written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UsedPath {
    /// The inline modules around the path.
    pub(super) scope: Vec<String>,
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
}

/// Reads a file.
///
/// # Errors
/// When the text does not split into Rust's tokens.
pub(super) fn scan(text: &str) -> Result<Scan, String> {
    let tokens: TokenStream = text.parse().map_err(|error| format!("not Rust: {error}"))?;
    let mut scan = Scan::default();
    let mut scope = Vec::new();
    walk(tokens, &mut scope, false, &mut scan);
    Ok(scan)
}

fn walk(tokens: TokenStream, scope: &mut Vec<String>, is_test: bool, scan: &mut Scan) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    // What the attributes before the next item said.
    let mut next_is_test = false;
    let mut next_moved_to = None;
    while at < tokens.len() {
        if let Some((attribute, is_inner, len)) = attribute(&tokens[at..]) {
            if is_test_only(attribute) {
                if is_inner {
                    return;
                }
                next_is_test = true;
            }
            next_moved_to = next_moved_to.or_else(|| moved_to(attribute));
            at += len;
            continue;
        }
        let here = word(tokens.get(at));
        let next = word(tokens.get(at + 1));
        if let (Some("mod"), Some(name)) = (here.as_deref(), next) {
            let body = tokens.get(at + 2);
            let inline = body.and_then(brace_group);
            scan.mods.push(ModDecl {
                scope: scope.clone(),
                name: name.clone(),
                is_inline: inline.is_some(),
                is_test: is_test || next_is_test,
                moved_to: next_moved_to.take(),
            });
            if let Some(group) = inline {
                scope.push(name);
                walk(group.stream(), scope, is_test || next_is_test, scan);
                scope.pop();
            }
            next_is_test = false;
            at += 3;
            continue;
        }
        // Between an attribute and the `mod` it belongs to stand only words and `pub(..)`.
        if here.as_deref() == Some("pub") {
            at += 1 + usize::from(matches!(tokens.get(at + 1), Some(TokenTree::Group(_))));
            continue;
        }
        next_moved_to = None;
        if next_is_test {
            next_is_test = false;
            at += item_len(&tokens[at..]);
            continue;
        }
        if is_test {
            if let TokenTree::Group(group) = &tokens[at] {
                walk(group.stream(), scope, true, scan);
            }
            at += 1;
            continue;
        }
        scan.structs.extend(StructDecl::read(&tokens, at, scope));
        at += path_or_group(&tokens, at, scope, scan);
    }
}

/// Takes what starts at `at`, which is neither an attribute nor a module; answers its length.
fn path_or_group(
    tokens: &[TokenTree],
    at: usize,
    scope: &mut Vec<String>,
    scan: &mut Scan,
) -> usize {
    match &tokens[at] {
        TokenTree::Group(group) => {
            walk(group.stream(), scope, false, scan);
            1
        }
        TokenTree::Ident(ident) if ident == "use" && !is_punct(tokens.get(at + 1), '<') => {
            let len = tokens[at..]
                .iter()
                .position(|token| is_punct(Some(token), ';'));
            let len = len.unwrap_or(tokens.len() - at);
            use_tree(&tokens[at + 1..at + len], &mut Vec::new(), scope, scan);
            len
        }
        TokenTree::Ident(ident) => {
            let mut segments = vec![ident.to_string()];
            let mut len = 1;
            while is_path_sep(&tokens[at + len..]) {
                let Some(TokenTree::Ident(next)) = tokens.get(at + len + 2) else {
                    break;
                };
                segments.push(next.to_string());
                len += 3;
            }
            // After `::` or `.` it is the rest of something else.
            let is_rest = at > 0
                && (is_punct(tokens.get(at - 1), ':')
                    && at > 1
                    && is_punct(tokens.get(at - 2), ':')
                    || is_punct(tokens.get(at - 1), '.'));
            if segments.len() > 1 && !is_rest {
                push_path(scope, segments, ident.span().start().line, scan);
            }
            len
        }
        _ => 1,
    }
}

/// One level of a `use`, after the `use` or inside its braces.
fn use_tree(tokens: &[TokenTree], prefix: &mut Vec<String>, scope: &[String], scan: &mut Scan) {
    if is_path_sep(tokens) {
        return; // `::name` is another crate.
    }
    for branch in tokens.split(|token| is_punct(Some(token), ',')) {
        let depth = prefix.len();
        let mut line = 0;
        for token in branch {
            match token {
                TokenTree::Ident(ident) if ident == "as" => break,
                TokenTree::Ident(ident) => {
                    line = ident.span().start().line;
                    prefix.push(ident.to_string());
                }
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    use_tree(&inner, prefix, scope, scan);
                    line = 0;
                }
                TokenTree::Punct(punct) => {
                    if punct.as_char() == '*' {
                        line = punct.span().start().line;
                    }
                }
                TokenTree::Literal(_) => {}
            }
        }
        if line > 0 {
            push_path(scope, prefix.clone(), line, scan);
        }
        prefix.truncate(depth);
    }
}

fn push_path(scope: &[String], segments: Vec<String>, line: usize, scan: &mut Scan) {
    scan.paths.push(UsedPath {
        scope: scope.to_vec(),
        segments,
        line,
    });
}

/// The path in a `#[path = ".."]`.
fn moved_to(attribute: &Group) -> Option<String> {
    let mut tokens = attribute.stream().into_iter();
    let is_path = word(tokens.next().as_ref()).as_deref() == Some("path");
    let Some(TokenTree::Literal(path)) = tokens.nth(1).filter(|_| is_path) else {
        return None;
    };
    Some(path.to_string().trim_matches('"').to_owned())
}

/// Whether an attribute is `cfg(test)` or `cfg(all(test, ..))`.
fn is_test_only(attribute: &Group) -> bool {
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// The length of the item that the tokens start with.
fn item_len(tokens: &[TokenTree]) -> usize {
    // The braces of a `use` do not end it.
    let is_use = word(tokens.first()).as_deref() == Some("use");
    let ends =
        |token: &TokenTree| is_punct(Some(token), ';') || (!is_use && brace_group(token).is_some());
    tokens
        .iter()
        .position(ends)
        .map_or(tokens.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let scan = scan(text).unwrap();
        scan.paths
            .iter()
            .map(|path| {
                let scope = path
                    .scope
                    .iter()
                    .map(|name| format!("[{name}]"))
                    .collect::<String>();
                format!("{scope}{}", path.segments.join("::"))
            })
            .collect()
    }

    #[test]
    fn a_use_tree_is_unfolded() {
        let text = "pub(crate) use crate::{a::{self, B as C}, d::*}; use super::x::Y;";
        assert_eq!(
            paths(text),
            ["crate::a::self", "crate::a::B", "crate::d", "super::x::Y"]
        );
    }

    #[test]
    fn paths_in_code_and_in_macros_are_found() {
        let text = "fn f(a: crate::x::T) { m!(super::y::z(1), $crate::w::V); a.b::<u8>(); }";
        assert_eq!(paths(text), ["crate::x::T", "super::y::z", "crate::w::V"]);
    }

    #[test]
    fn what_exists_in_tests_only_is_left_out() {
        let text = "#[cfg(test)] use crate::{a::B}; #[cfg(test)] #[x] fn f() { crate::c::d() } \
                    #[cfg(test)] mod tests { use crate::e::F; mod g { crate::h::i!(); } } \
                    use crate::j::K;";
        assert_eq!(paths(text), ["crate::j::K"]);
        assert_eq!(paths("#![cfg(test)] use crate::a::B;"), [""; 0]);
    }

    #[test]
    fn comments_strings_and_visibility_name_no_module() {
        let text = "/// See [`crate::a::B`].\npub(in crate::c) fn f() { g(\"crate::d::E\"); }";
        assert_eq!(paths(text), [""; 0]);
    }

    #[test]
    fn inline_modules_are_remembered_around_a_path() {
        assert_eq!(
            paths("mod a { mod b { use super::c::D; } }"),
            ["[a][b]super::c::D"]
        );
    }

    #[test]
    fn declared_modules_say_whether_they_are_tests() {
        let scan =
            scan("mod a; #[cfg(test)] mod tests; pub mod b { mod c; } #[path = \"x\"] mod d;");
        let told: Vec<_> = scan
            .unwrap()
            .mods
            .into_iter()
            .map(|decl| (decl.name, decl.is_inline, decl.is_test, decl.moved_to))
            .collect();
        assert_eq!(
            told,
            [
                ("a".into(), false, false, None),
                ("tests".into(), false, true, None),
                ("b".into(), true, false, None),
                ("c".into(), false, false, None),
                ("d".into(), false, false, Some("x".to_owned())),
            ]
        );
    }
}
