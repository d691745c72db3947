//! Walking over chunks in blocks of one size, and joining them, copying only what crosses an edge.

/// The bytes of all chunks.
#[cfg(any(feature = "snappy", feature = "lz4"))]
pub(super) fn total(chunks: &[Vec<u8>]) -> usize {
    chunks.iter().map(Vec::len).sum()
}

/// Hands the chunks' bytes to `take` in blocks of `block_len` bytes, the last one shorter. A block
/// that lies within one chunk is not copied; one that crosses an edge is put together in `scratch`.
#[cfg(any(feature = "snappy", feature = "lz4"))]
pub(super) fn for_each_block<E>(
    chunks: &[Vec<u8>],
    block_len: usize,
    scratch: &mut Vec<u8>,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    scratch.clear();
    for chunk in chunks {
        let mut rest = chunk.as_slice();
        if !scratch.is_empty() {
            let (head, tail) = rest.split_at(rest.len().min(block_len - scratch.len()));
            scratch.extend_from_slice(head);
            rest = tail;
            if scratch.len() == block_len {
                take(scratch)?;
                scratch.clear();
            }
        }
        let mut blocks = rest.chunks_exact(block_len);
        for block in &mut blocks {
            take(block)?;
        }
        scratch.extend_from_slice(blocks.remainder());
    }
    if !scratch.is_empty() {
        take(scratch)?;
    }
    Ok(())
}

/// The chunks' bytes in one piece: the only chunk that has any, or all of them joined in `scratch`.
#[cfg(feature = "zstd")]
pub(super) fn joined<'a>(chunks: &'a [Vec<u8>], scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let mut filled = chunks.iter().filter(|chunk| !chunk.is_empty());
    if let (Some(only), None) = (filled.next(), filled.next()) {
        return only;
    }
    scratch.clear();
    for chunk in chunks {
        scratch.extend_from_slice(chunk);
    }
    scratch
}
