//! Names, sizes, counts and addresses as people read them.

use std::fmt::Write as _;

use syscall::vmaps::HumanBytes;

/// Bytes as text that can be shown anywhere.
///
/// What is not UTF-8, and characters that are invisible or change the direction of others, becomes escapes
/// like `\x01`: XML cannot hold the former, and the latter would let a name pretend to be another.
pub fn visible(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_visible(&mut text, character);
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail; so it is for all of these.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

fn push_visible(text: &mut String, character: char) {
    match character {
        '\\' => text.push_str("\\\\"),
        '\0'..='\x1f' | '\x7f' => {
            let _ = write!(text, "\\x{:02x}", u32::from(character));
        }
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{ffff}'
        | '\u{e0000}'..='\u{10ffff}' => {
            let _ = write!(text, "{}", character.escape_unicode());
        }
        _ => text.push(character),
    }
}

/// At most `room` characters of `text`, with a sign in the last place if that is not all.
pub fn shortened(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.into();
    }
    let mut short: String = text.chars().take(room.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// A count of bytes, such as `256k`.
pub fn bytes(count: u64) -> String {
    HumanBytes(count).to_string()
}

/// A count with a comma after each three digits.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `count` and the word for one or for several, such as `2 regions`.
pub fn counted(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", count(number))
}

/// An address, such as `0x400000`.
pub fn address(value: u64) -> String {
    format!("{value:#x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_show_what_cannot_be_seen() {
        assert_eq!(visible(b"heap <1> & \"2\""), "heap <1> & \"2\"");
        assert_eq!(visible(b"a\x00\x1b\x7f\xffb"), "a\\x00\\x1b\\x7f\\xffb");
        assert_eq!(visible("ü\u{202e}x".as_bytes()), "ü\\u{202e}x");
        assert_eq!(visible(b"\\x00"), "\\\\x00");
    }

    #[test]
    fn counts_have_commas_and_plurals() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "gap"), "1 gap");
        assert_eq!(counted(0, "gap"), "0 gaps");
    }

    #[test]
    fn text_that_is_too_long_says_so() {
        assert_eq!(shortened("heap", 4), "heap");
        assert_eq!(shortened("heaps", 4), "hea…");
        assert_eq!(shortened("äöüß", 3), "äö…");
        assert_eq!(shortened("heap", 0), "…");
    }
}
