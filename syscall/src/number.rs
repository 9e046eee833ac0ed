//! The numbers of system calls.

macro_rules! numbers {
    ($($(#[$doc:meta])* $number:literal $name:ident $stub:ident $arguments:tt
        -> $result:ident $($type:ident)?;)*) => {
        /// A system call by its number; the variants keep Zircon's spelling.
        #[allow(non_camel_case_types, reason = "the names of calls are written in one way everywhere")]
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(usize)]
        pub enum SystemCall {
            $($(#[$doc])* $name = $number,)*
        }

        impl SystemCall {
            /// Every call, by ascending number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The call with this number, if there is one.
            pub const fn from_number(number: usize) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The name without the prefix.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

crate::for_each_system_call!(numbers);

impl SystemCall {
    /// How many calls there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The number of this call.
    pub const fn number(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::SystemCall;

    #[test]
    fn numbers_are_dense_from_zero() {
        for (index, call) in SystemCall::ALL.iter().enumerate() {
            assert_eq!(call.number(), index, "{call:?}");
            assert_eq!(SystemCall::from_number(index), Some(*call));
        }
        assert_eq!(SystemCall::from_number(SystemCall::COUNT), None);
    }
}
