//! The kernel's side of the table: typed arguments, the trait to implement, and the dispatcher.

use core::fmt;
use core::marker::PhantomData;

use crate::{
    FeatureKind, HandleValue, IommuType, ProcessOptions, Property, ResourceOptions, Result, Rights,
    Signals, Status, Topic, TransferDataOptions, VmOptions, VmarOp, VmoChildOptions, VmoOp,
    VmoOptions,
};

/// The most arguments a system call can have.
pub const MAX_ARGUMENTS: usize = 8;

/// A program's claim that it has values of type `T` at an address, for the kernel to read.
///
/// Nothing has been checked: the address may be null, unmapped, misaligned or the kernel's own.
pub struct UserIn<T> {
    address: usize,
    marker: PhantomData<fn() -> T>,
}

/// A program's claim that it has room for values of type `T` at an address, for the kernel to write.
///
/// Nothing has been checked: the address may be null, unmapped, misaligned or the kernel's own.
pub struct UserOut<T> {
    address: usize,
    marker: PhantomData<fn(T)>,
}

macro_rules! user_claim {
    ($name:ident) => {
        impl<T> $name<T> {
            /// The claim about this address.
            pub const fn new(address: usize) -> Self {
                Self {
                    address,
                    marker: PhantomData,
                }
            }

            /// The address, unchecked.
            pub const fn address(self) -> usize {
                self.address
            }

            /// Whether the program gave no address.
            pub const fn is_null(self) -> bool {
                self.address == 0
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $name<T> {}

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:#x})"), self.address)
            }
        }

        impl<T> FromRegister for $name<T> {
            fn from_register(register: usize) -> Self {
                Self::new(register)
            }
        }
    };
}

user_claim!(UserIn);
user_claim!(UserOut);

/// A type that an argument register can be read as; every register value is one.
trait FromRegister {
    fn from_register(register: usize) -> Self;
}

/// Reads the whole register, or its low half for a 32-bit type; the high half is ignored.
macro_rules! from_register {
    ($($type:ty: $register:ident => $value:expr;)*) => {
        $(impl FromRegister for $type {
            fn from_register($register: usize) -> Self {
                $value
            }
        })*
    };
}

from_register! {
    usize: register => register;
    u32: register => register as u32;
    u64: register => register as u64;
    i64: register => register as i64;
    HandleValue: register => Self::from_raw(register as u32);
    Rights: register => Self::from_bits_retain(register as u32);
    Signals: register => Self::from_bits_retain(register as u32);
    VmOptions: register => Self::from_raw(register as u32);
    VmoOptions: register => Self::from_bits_retain(register as u32);
    ProcessOptions: register => Self::from_bits_retain(register as u32);
    Topic: register => Self::from_raw(register as u32);
    Property: register => Self::from_raw(register as u32);
    VmarOp: register => Self::from_raw(register as u32);
    VmoOp: register => Self::from_raw(register as u32);
    VmoChildOptions: register => Self::from_bits_retain(register as u32);
    TransferDataOptions: register => Self::from_bits_retain(register as u32);
    ResourceOptions: register => Self::from_bits_retain(register as u32);
    IommuType: register => Self::from_raw(register as u32);
    FeatureKind: register => Self::from_raw(register as u32);
}

/// What a call answers, as the result register carries it.
trait IntoRegister {
    fn into_register(self) -> usize;
}

impl IntoRegister for Status {
    /// Sign-extends, so that the whole register is negative for an error.
    fn into_register(self) -> usize {
        self.into_raw() as isize as usize
    }
}

impl IntoRegister for Result<()> {
    fn into_register(self) -> usize {
        match self {
            Ok(()) => Status::OK.into_register(),
            Err(status) => status.into_register(),
        }
    }
}

impl IntoRegister for () {
    fn into_register(self) -> usize {
        0
    }
}

macro_rules! into_register {
    ($($type:ty),*) => {
        $(impl IntoRegister for $type {
            fn into_register(self) -> usize {
                self as usize
            }
        })*
    };
}

into_register!(u32, u64, i64);

/// The type of an argument as the kernel sees it.
macro_rules! argument {
    (value $type:ident) => { $type };
    (input $type:ident) => { UserIn<$type> };
    (output $type:ident) => { UserOut<$type> };
}

/// The type of a result as the kernel returns it.
macro_rules! outcome {
    (status) => { Result<()> };
    (value $type:ident) => { $type };
    (nothing) => { () };
    (never) => { () };
}

macro_rules! kernel_side {
    ($(
        $(#[$doc:meta])*
        $number:literal $name:ident $stub:ident($($argument:ident: $kind:ident $type:ident),* $(,)?)
            -> $result:ident $($value:ident)?;
    )*) => {
        /// What the kernel does for each call, with arguments decoded but not checked.
        ///
        /// A call that never returns to its program still returns here, so that the kernel's own
        /// frames are left in order; the trap path must then not resume the program.
        #[allow(clippy::too_many_arguments, reason = "the calls have the arguments that the ABI gives them")]
        pub trait SystemCalls {
            $($(#[$doc])*
            fn $name(&self, $($argument: argument!($kind $type)),*) -> outcome!($result $($value)?);)*
        }

        /// Decodes the registers of call `number`, makes it, and returns the result register.
        ///
        /// A number without a call answers `BAD_SYSCALL`.
        #[inline]
        pub fn dispatch<S: SystemCalls + ?Sized>(
            calls: &S,
            number: usize,
            registers: &[usize; MAX_ARGUMENTS],
        ) -> usize {
            // Each call is a function of its own, so that none pays for the stack of another.
            $(#[inline(never)]
            fn $name<S: SystemCalls + ?Sized>(
                calls: &S,
                registers: &[usize; MAX_ARGUMENTS],
            ) -> usize {
                let [$($argument,)* ..] = *registers;
                calls.$name($(FromRegister::from_register($argument)),*).into_register()
            })*
            match number {
                $($number => $name(calls, registers),)*
                _ => Status::BAD_SYSCALL.into_register(),
            }
        }
    };
}

crate::for_each_system_call!(kernel_side);

#[cfg(test)]
mod tests;
