//! What the command line asks of the kernel.
//!
//! The command line is a list of words `key=value`. The kernel leaves alone what it does not know,
//! because boot loaders add words of their own.

use core::str::SplitWhitespace;

/// The program that runs first if the command line names none.
const DEFAULT_INIT: &str = "bin/tour";

/// The program for whoever sits at the console after that.
const DEFAULT_SHELL: &str = "bin/shell";

/// Where mappings and regions are placed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Placement {
    /// At random among the spots that fit.
    Random,
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
    /// `aslr=off|on`: how addresses are chosen.
    pub placement: Placement,
    /// `vmaps=exit`: what is shown of the first program when it ends.
    pub last_words: LastWords,
    /// `ktest.filter=TEXT`: only the tests whose names contain this run.
    pub test_filter: &'a str,
}

impl<'a> Options<'a> {
    /// Reads the options from `command_line`; the last word of several with one key counts.
    pub fn parse(command_line: &'a str) -> Self {
        let (words, arguments) = split_arguments(command_line);
        let mut options = Self {
            init: DEFAULT_INIT,
            arguments,
            shell: None,
            interaction: Interaction::None,
            placement: Placement::Random,
            last_words: LastWords::None,
            test_filter: "",
        };
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            match key {
                "init" => options.init = value.trim_start_matches('/'),
                "interactive" if value == "1" => options.interaction = Interaction::Terminal,
                "interactive" => options.interaction = Interaction::None,
                "aslr" if value == "off" => options.placement = Placement::Lowest,
                "aslr" => options.placement = Placement::Random,
                "vmaps" if value == "exit" => options.last_words = LastWords::Vmaps,
                "ktest.filter" => options.test_filter = value,
                _ => (),
            }
        }
        if options.init == DEFAULT_INIT && options.interaction == Interaction::Terminal {
            options.shell = Some(DEFAULT_SHELL);
        }
        options
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

    use super::{Interaction, LastWords, Options, Placement};

    #[ktest]
    fn an_empty_command_line_means_the_defaults() {
        let options = Options::parse("");
        assert_eq!(options.init, "bin/tour");
        assert_eq!(options.arguments, "");
        assert_eq!(options.interaction, Interaction::None);
        assert_eq!(options.placement, Placement::Random);
        assert_eq!(options.last_words, LastWords::None);
        assert_eq!(options.test_filter, "");
    }

    #[ktest]
    fn words_are_found_among_unknown_ones() {
        let options =
            Options::parse("quiet init=/bin/hello x=y interactive=1 aslr=off vmaps=exit myargs=1");
        assert_eq!(options.init, "bin/hello");
        assert_eq!(options.interaction, Interaction::Terminal);
        assert_eq!(options.placement, Placement::Lowest);
        assert_eq!(options.last_words, LastWords::Vmaps);
        assert_eq!(options.arguments, "");
    }

    #[ktest]
    fn arguments_take_the_rest_of_the_line() {
        let options = Options::parse("init=bin/a args=one two init=bin/b");
        assert_eq!(options.init, "bin/a");
        assert_eq!(options.arguments, "one two init=bin/b");
    }

    #[ktest]
    fn a_shell_follows_the_tour_if_somebody_is_there() {
        let shell = |line| Options::parse(line).shell;
        assert_eq!(shell("interactive=1"), Some("bin/shell"));
        assert_eq!(shell("interactive=1 init=bin/tour"), Some("bin/shell"));
        assert_eq!(shell("interactive=1 init=bin/hello"), None);
        assert_eq!(shell("interactive=0"), None);
    }

    #[ktest]
    fn the_last_of_two_words_counts() {
        assert_eq!(
            Options::parse("ktest.filter=a ktest.filter=b").test_filter,
            "b"
        );
    }
}
