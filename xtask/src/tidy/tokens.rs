//! What Rust's tokens are, one by one. What they say together is read by `scan` and `structs`.

use proc_macro2::{Delimiter, Group, TokenTree};

/// The attribute that the tokens start with, whether it is `#![..]`, and its length.
pub(super) fn attribute(tokens: &[TokenTree]) -> Option<(&Group, bool, usize)> {
    if !is_punct(tokens.first(), '#') {
        return None;
    }
    let is_inner = is_punct(tokens.get(1), '!');
    let at = 1 + usize::from(is_inner);
    match tokens.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
            Some((group, is_inner, at + 1))
        }
        _ => None,
    }
}

pub(super) fn brace_group(token: &TokenTree) -> Option<&Group> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
        _ => None,
    }
}

pub(super) fn word(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    }
}

pub(super) fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

pub(super) fn is_path_sep(tokens: &[TokenTree]) -> bool {
    is_punct(tokens.first(), ':') && is_punct(tokens.get(1), ':')
}
