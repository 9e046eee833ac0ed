//! What the command line asks of the kernel.
//!
//! The command line is a list of words `key=value`. The kernel leaves alone keys that it does not know,
//! because boot loaders add words of their own. A key that it knows with a value that means nothing is
//! refused: whoever wrote it wants something, and should not believe to have got it.

use core::fmt;
use core::str::SplitWhitespace;

use vm::aspace::Entropy;

/// The program that runs first if the command line names none.
const DEFAULT_INIT: &str = "bin/tour";

/// The program for whoever sits at the console after that.
const DEFAULT_SHELL: &str = "bin/shell";

/// Where mappings and regions are placed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Placement {
    /// At random among the lowest spots that fit, of which there are 2 to the power of `bits`.
    Random {
        /// From 0, which always means the lowest one, to [`Entropy::MAX_BITS`].
        bits: u32,
    },
    /// In the lowest spot that fits, the same in every run.
    Lowest,
}

/// Whether somebody sits at the console.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Interaction {
    /// Reading from the console waits for a key.
    Terminal,
    /// Reading from the console finds the end of the input at once.
    None,
}

/// What is shown of a program when it ends, before anything of it goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LastWords {
    /// Nothing.
    None,
    /// Its address space, as `vmaps --json` shows it.
    Vmaps,
}

/// Whether pages that are all zeros are looked for when memory is low.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ZeroScan {
    /// They are left alone.
    Off,
    /// They are given back.
    On,
}

/// A word of the command line whose value means nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadValue<'a> {
    key: &'a str,
    value: &'a str,
    /// What would mean something.
    expected: &'static str,
}

impl fmt::Display for BadValue<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key,
            value,
            expected,
        } = self;
        write!(
            formatter,
            "{key}={value} means nothing; it may be {expected}"
        )
    }
}

/// The kernel's options.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Options<'a> {
    /// `init=PATH`: the first program's place in the initrd.
    pub init: &'a str,
    /// `args=WORDS`: the first program's arguments; takes the rest of the command line.
    pub arguments: &'a str,
    /// The program that follows the tour for whoever sits at the console.
    pub shell: Option<&'static str>,
    /// `interactive=1|0`: whether somebody sits at the console.
    pub interaction: Interaction,
    /// `aslr=off|on|BITS`: how addresses are chosen.
    pub placement: Placement,
    /// `vmaps=exit`: what is shown of the first program when it ends.
    pub last_words: LastWords,
    /// `zero-scan=off|on`: whether pages that are all zeros are looked for when memory is low.
    pub zero_scan: ZeroScan,
    /// `ktest.filter=TEXT`: only the tests whose names contain this run.
    pub test_filter: &'a str,
}

impl<'a> Options<'a> {
    /// Reads the options from `command_line`; the last word of several with one key counts.
    ///
    /// # Errors
    /// The first word whose value means nothing.
    pub fn parse(command_line: &'a str) -> Result<Self, BadValue<'a>> {
        let (words, arguments) = split_arguments(command_line);
        let mut options = Self {
            init: DEFAULT_INIT,
            arguments,
            shell: None,
            interaction: Interaction::None,
            placement: Placement::RANDOM,
            last_words: LastWords::None,
            zero_scan: ZeroScan::On,
            test_filter: "",
        };
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            match key {
                "init" => options.init = value.trim_start_matches('/'),
                "interactive" if value == "1" => options.interaction = Interaction::Terminal,
                "interactive" => options.interaction = Interaction::None,
                "aslr" => options.placement = Placement::parse(value)?,
                "zero-scan" => options.zero_scan = ZeroScan::parse(value)?,
                "vmaps" if value == "exit" => options.last_words = LastWords::Vmaps,
                "ktest.filter" => options.test_filter = value,
                _ => (),
            }
        }
        if options.init == DEFAULT_INIT && options.interaction == Interaction::Terminal {
            options.shell = Some(DEFAULT_SHELL);
        }
        Ok(options)
    }
}

impl Placement {
    /// At random, with as many bits as usual.
    const RANDOM: Self = Self::Random {
        bits: Entropy::DEFAULT_BITS,
    };

    /// Reads the value of `aslr=`.
    fn parse(value: &str) -> Result<Self, BadValue<'_>> {
        let bits = || value.parse().ok().filter(|bits| *bits <= Entropy::MAX_BITS);
        match value {
            "off" => Ok(Self::Lowest),
            "on" => Ok(Self::RANDOM),
            _ => bits().map(|bits| Self::Random { bits }).ok_or(BadValue {
                key: "aslr",
                value,
                expected: "off, on, or a number of bits from 0 to 36",
            }),
        }
    }
}

impl ZeroScan {
    /// Reads the value of `zero-scan=`.
    fn parse(value: &str) -> Result<Self, BadValue<'_>> {
        match value {
            "off" => Ok(Self::Off),
            "on" => Ok(Self::On),
            _ => Err(BadValue {
                key: "zero-scan",
                value,
                expected: "off or on",
            }),
        }
    }
}

/// The words before `args=`, and all that follows it.
fn split_arguments(command_line: &str) -> (SplitWhitespace<'_>, &str) {
    const KEY: &str = "args=";
    let is_word = |at: &usize| *at == 0 || command_line[..*at].ends_with(char::is_whitespace);
    match command_line
        .match_indices(KEY)
        .map(|(at, _)| at)
        .find(is_word)
    {
        Some(at) => (
            command_line[..at].split_whitespace(),
            command_line[at + KEY.len()..].trim(),
        ),
        None => (command_line.split_whitespace(), ""),
    }
}

#[cfg(test)]
mod tests {
    use ktest::ktest;

    use super::{Interaction, LastWords, Options, Placement, ZeroScan};

    /// The options in a command line without nonsense.
    fn parse(command_line: &str) -> Options<'_> {
        Options::parse(command_line).expect("all values mean something")
    }

    #[ktest]
    fn an_empty_command_line_means_the_defaults() {
        let options = parse("");
        assert_eq!(options.init, "bin/tour");
        assert_eq!(options.arguments, "");
        assert_eq!(options.interaction, Interaction::None);
        assert_eq!(options.placement, Placement::Random { bits: 30 });
        assert_eq!(options.last_words, LastWords::None);
        assert_eq!(options.zero_scan, ZeroScan::On);
        assert_eq!(options.test_filter, "");
    }

    #[ktest]
    fn words_are_found_among_unknown_ones() {
        let options = parse("quiet init=/bin/hello x=y interactive=1 aslr=off vmaps=exit myargs=1");
        assert_eq!(options.init, "bin/hello");
        assert_eq!(options.interaction, Interaction::Terminal);
        assert_eq!(options.placement, Placement::Lowest);
        assert_eq!(options.last_words, LastWords::Vmaps);
        assert_eq!(options.arguments, "");
    }

    #[ktest]
    fn arguments_take_the_rest_of_the_line() {
        let options = parse("init=bin/a args=one two init=bin/b");
        assert_eq!(options.init, "bin/a");
        assert_eq!(options.arguments, "one two init=bin/b");
    }

    #[ktest]
    fn a_shell_follows_the_tour_if_somebody_is_there() {
        let shell = |line| parse(line).shell;
        assert_eq!(shell("interactive=1"), Some("bin/shell"));
        assert_eq!(shell("interactive=1 init=bin/tour"), Some("bin/shell"));
        assert_eq!(shell("interactive=1 init=bin/hello"), None);
        assert_eq!(shell("interactive=0"), None);
    }

    #[ktest]
    fn places_are_chosen_with_as_many_bits_as_one_says() {
        let placement = |line| parse(line).placement;
        assert_eq!(placement("aslr=on"), Placement::Random { bits: 30 });
        assert_eq!(placement("aslr=off"), Placement::Lowest);
        for bits in [0, 1, 8, 36] {
            let line = alloc::format!("aslr=off aslr={bits}");
            assert_eq!(parse(&line).placement, Placement::Random { bits });
        }
    }

    #[ktest]
    fn a_value_that_means_nothing_is_refused() {
        for value in ["", "37", "-1", "8bits", "Off", "yes", "99999999999"] {
            let line = alloc::format!("init=bin/a aslr={value} x=y");
            let error = Options::parse(&line).expect_err("no such value");
            let text = alloc::format!("{error}");
            assert!(
                text.starts_with(&alloc::format!("aslr={value} means nothing")),
                "{text}"
            );
        }
        // What a program is told is its own affair.
        assert!(Options::parse("aslr=off args=aslr=banana").is_ok());
    }

    #[ktest]
    fn the_scan_for_zeros_is_on_or_off() {
        assert_eq!(parse("zero-scan=off").zero_scan, ZeroScan::Off);
        assert_eq!(parse("zero-scan=off zero-scan=on").zero_scan, ZeroScan::On);
        let error = Options::parse("zero-scan=1").expect_err("no such value");
        let text = alloc::format!("{error}");
        assert_eq!(text, "zero-scan=1 means nothing; it may be off or on");
    }

    #[ktest]
    fn the_last_of_two_words_counts() {
        assert_eq!(parse("ktest.filter=a ktest.filter=b").test_filter, "b");
    }
}
