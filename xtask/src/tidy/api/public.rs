//! What a library shows: its items by the paths that users write, with their public parts, their
//! methods, and the traits that they have.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Fields, FnArg, ImplItem, Item, ItemImpl, Pat, Signature, TraitItem, Type,
    TypeParamBound, Visibility,
};

use super::source::{Name, Source, has};
use super::text::text;

/// An item of the listing.
pub(super) struct Entry {
    pub(super) head: String,
    pub(super) lines: Vec<String>,
}

/// Everything that a library shows, by paths.
pub(super) fn entries(source: &Source, library: &str) -> Result<Vec<Entry>, String> {
    let mut shown = BTreeMap::new();
    walk(source, &[library.to_owned()], library, &mut shown)?;
    let names: BTreeSet<&Name> = shown.values().collect();
    let mut impls = Impls::default();
    for (module, parsed) in &source.modules {
        let is_shown = names.iter().any(|name| name[..name.len() - 1] == **module);
        for item in &parsed.items {
            match item {
                Item::Impl(item) if !has(&item.attrs, "cfg(test)") => {
                    impls.add(source, module, item, &names);
                }
                Item::Macro(item) if is_shown && item.ident.is_none() => {
                    let of = text(&item.mac.path);
                    let made = parts(item.mac.tokens.clone());
                    let made = made.iter().map(|part| format!("{of}! {part}"));
                    let lines = impls.macros.entry(module.clone()).or_default();
                    lines.extend(made);
                }
                _ => {}
            }
        }
    }
    let mut entries = Vec::new();
    for (module, mut lines) in std::mem::take(&mut impls.macros) {
        lines.sort();
        let head = format!("macro in {}", module.join("::"));
        entries.push(Entry { head, lines });
    }
    for (path, name) in &shown {
        let item = source
            .item(name)
            .ok_or_else(|| format!("{path} is no item"))?;
        let mut entry = describe(path, item)?;
        for lines in [impls.own.get_mut(name), impls.of_traits.get_mut(name)] {
            let mut lines = lines.cloned().unwrap_or_default();
            lines.sort();
            entry.lines.extend(lines);
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// What a macro is given, in parts: those between semicolons, or else those between commas.
fn parts(given: TokenStream) -> Vec<String> {
    let is = |token: &TokenTree, sign| matches!(token, TokenTree::Punct(p) if p.as_char() == sign);
    let tokens: Vec<TokenTree> = given.into_iter().collect();
    let has_lines = tokens.iter().any(|token| is(token, ';'));
    let sign = if has_lines { ';' } else { ',' };
    // Commas between type arguments separate nothing.
    let mut depth = 0_usize;
    let parts = tokens.split(|token| {
        depth += usize::from(is(token, '<'));
        depth = depth.saturating_sub(usize::from(is(token, '>')));
        depth == 0 && is(token, sign)
    });
    let parts = parts.map(|part| text(part.iter().cloned().collect::<TokenStream>()));
    parts.filter(|part| !part.is_empty()).collect()
}

/// Collects the items that a module shows, by the paths below `shown_as`.
fn walk(
    source: &Source,
    module: &[String],
    shown_as: &str,
    shown: &mut BTreeMap<String, Name>,
) -> Result<(), String> {
    let Some(parsed) = source.modules.get(module) else {
        return Err(format!("{shown_as} is no module"));
    };
    for item in &parsed.items {
        let name = super::source::ident(item);
        let (vis, attributes) = match item {
            Item::Const(item) => (&item.vis, &item.attrs),
            Item::Enum(item) => (&item.vis, &item.attrs),
            Item::Fn(item) => (&item.vis, &item.attrs),
            Item::Mod(item) => (&item.vis, &item.attrs),
            Item::Static(item) => (&item.vis, &item.attrs),
            Item::Struct(item) => (&item.vis, &item.attrs),
            Item::Trait(item) => (&item.vis, &item.attrs),
            Item::Type(item) => (&item.vis, &item.attrs),
            _ => continue,
        };
        if matches!(vis, Visibility::Public(_)) && !has(attributes, "doc(hidden)") {
            let mut own = module.to_vec();
            own.push(name.clone());
            add(source, own, &format!("{shown_as}::{name}"), shown)?;
        }
    }
    for used in parsed.uses.iter().filter(|used| used.is_pub) {
        let path = format!("{shown_as}::{}", used.name);
        let found = source.resolve(module, std::slice::from_ref(&used.name));
        add(
            source,
            found.ok_or_else(|| format!("{path} leads nowhere"))?,
            &path,
            shown,
        )?;
    }
    Ok(())
}

fn add(
    source: &Source,
    name: Name,
    path: &str,
    shown: &mut BTreeMap<String, Name>,
) -> Result<(), String> {
    if source.modules.contains_key(&name) {
        return walk(source, &name, path, shown);
    }
    shown.insert(path.to_owned(), name);
    Ok(())
}

/// What `impl`s and macros say, by the items that they are about.
#[derive(Default)]
struct Impls {
    own: BTreeMap<Name, Vec<String>>,
    of_traits: BTreeMap<Name, Vec<String>>,
    macros: BTreeMap<Name, Vec<String>>,
}

impl Impls {
    fn add(
        &mut self,
        source: &Source,
        module: &[String],
        item: &ItemImpl,
        names: &BTreeSet<&Name>,
    ) {
        let find = |path: &syn::Path| -> Option<Name> {
            let path: Name = path.segments.iter().map(|s| s.ident.to_string()).collect();
            source
                .resolve(module, &path)
                .filter(|name| names.contains(name))
        };
        let of_type = main_path(&item.self_ty).and_then(find);
        match &item.trait_ {
            None => {
                let Some(name) = of_type else { return };
                let own = self.own.entry(name).or_default();
                own.extend(item.items.iter().filter_map(|part| method(item, part)));
            }
            Some((_, path, _)) => {
                let Some(name) = of_type.or_else(|| find(path)) else {
                    return;
                };
                self.of_traits.entry(name).or_default().push(header(item));
            }
        }
    }
}

/// The path of a type, or of what it refers to.
fn main_path(of: &Type) -> Option<&syn::Path> {
    match of {
        Type::Path(of) => Some(&of.path),
        Type::Reference(of) => main_path(&of.elem),
        Type::Paren(of) => main_path(&of.elem),
        Type::TraitObject(of) => of.bounds.iter().find_map(|bound| match bound {
            TypeParamBound::Trait(bound) => Some(&bound.path),
            _ => None,
        }),
        _ => None,
    }
}

/// A public method or constant.
fn method(of: &ItemImpl, part: &ImplItem) -> Option<String> {
    let (vis, attributes, said) = match part {
        ImplItem::Fn(part) => (&part.vis, &part.attrs, signature(&part.sig)),
        ImplItem::Const(part) => {
            let said = format!("const {}: {}", part.ident, text(&part.ty));
            (&part.vis, &part.attrs, said)
        }
        _ => return None,
    };
    let is_shown = matches!(vis, Visibility::Public(_)) && !has(attributes, "doc(hidden)");
    is_shown.then(|| format!("{}{}pub {said}", kept(&of.attrs), kept(attributes)))
}

/// A function as its callers see it: whether it changes what it was given is its own matter.
fn signature(of: &Signature) -> String {
    let mut of = of.clone();
    for input in &mut of.inputs {
        match input {
            FnArg::Receiver(own) if own.reference.is_none() => own.mutability = None,
            FnArg::Typed(given) => {
                if let Pat::Ident(name) = &mut *given.pat {
                    name.mutability = None;
                }
            }
            FnArg::Receiver(_) => {}
        }
    }
    if let Some(clause) = &mut of.generics.where_clause {
        clause.predicates.pop_punct();
    }
    text(&of)
}

/// A trait's `impl` without its body, but with the types that it says.
fn header(item: &ItemImpl) -> String {
    let mut bare = item.clone();
    bare.attrs.clear();
    if let Some(clause) = &mut bare.generics.where_clause {
        clause.predicates.pop_punct();
    }
    bare.items.retain(|part| matches!(part, ImplItem::Type(_)));
    let said = text(&bare);
    let said = said.strip_suffix("{ }").or_else(|| said.strip_suffix("{}"));
    let said = said.map_or_else(|| text(&bare), |said| said.trim_end().to_owned());
    format!("{}{said}", kept(&item.attrs))
}

/// The attributes that users see.
fn kept(attributes: &[Attribute]) -> String {
    let is_kept = |attribute: &&Attribute| {
        let kept = ["derive", "non_exhaustive", "cfg"];
        kept.iter().any(|name| attribute.path().is_ident(name))
    };
    let kept = attributes.iter().filter(is_kept);
    kept.map(|attribute| format!("{} ", text(attribute)))
        .collect()
}

fn describe(path: &str, item: &Item) -> Result<Entry, String> {
    let mut lines = Vec::new();
    let head = match item {
        Item::Struct(item) => {
            fields(&item.fields, &mut lines);
            let clause = &item.generics.where_clause;
            format!(
                "{}pub struct {path}{}{}",
                kept(&item.attrs),
                text(&item.generics),
                text(clause)
            )
        }
        Item::Enum(item) => {
            for variant in &item.variants {
                let mut bare = variant.clone();
                bare.attrs.clear();
                bare.fields.iter_mut().for_each(|field| field.attrs.clear());
                lines.push(format!("{}{}", kept(&variant.attrs), text(&bare)));
            }
            format!(
                "{}pub enum {path}{}",
                kept(&item.attrs),
                text(&item.generics)
            )
        }
        Item::Trait(item) => {
            for part in &item.items {
                lines.push(match part {
                    TraitItem::Fn(part) if part.default.is_some() => {
                        format!("{} {{ .. }}", signature(&part.sig))
                    }
                    TraitItem::Fn(part) => signature(&part.sig),
                    part => text(part).trim_end_matches(';').to_owned(),
                });
            }
            let bounds = text(&item.supertraits);
            let bounds = if bounds.is_empty() {
                bounds
            } else {
                format!(": {bounds}")
            };
            format!(
                "{}pub trait {path}{}{bounds}",
                kept(&item.attrs),
                text(&item.generics)
            )
        }
        Item::Fn(item) => {
            let said = signature(&item.sig);
            let parts = said.split_once(&item.sig.ident.to_string());
            let (before, behind) = parts.unwrap_or_default();
            format!("{}pub {before}{path}{behind}", kept(&item.attrs))
        }
        Item::Const(item) => format!("pub const {path}: {}", text(&item.ty)),
        Item::Static(item) => format!("pub static {path}: {}", text(&item.ty)),
        Item::Type(item) => {
            format!(
                "pub type {path}{} = {}",
                text(&item.generics),
                text(&item.ty)
            )
        }
        _ => {
            return Err(format!(
                "{path} is of a kind that no listing has had so far"
            ));
        }
    };
    Ok(Entry { head, lines })
}

/// The public fields, and that there are others.
fn fields(fields: &Fields, lines: &mut Vec<String>) {
    let is_pub = |vis: &Visibility| matches!(vis, Visibility::Public(_));
    for (at, field) in fields
        .iter()
        .enumerate()
        .filter(|(_, field)| is_pub(&field.vis))
    {
        let name = field
            .ident
            .as_ref()
            .map_or_else(|| at.to_string(), ToString::to_string);
        lines.push(format!("pub {name}: {}", text(&field.ty)));
    }
    if fields.iter().any(|field| !is_pub(&field.vis)) {
        lines.push("..".to_owned());
    }
}
