//! The programs' side of the table: one function per system call, under Zircon's name.
//!
//! | | x86_64 | aarch64 |
//! |---|---|---|
//! | instruction | `syscall` | `svc 0` |
//! | number | rax | x16 |
//! | arguments | rdi rsi rdx r10 r8 r9 r12 r13 | x0 to x7 |
//! | result | rax | x0 |
//! | changed | rcx, r11 | nothing else |
//!
//! On a host, where another kernel would take the call, every one answers `BAD_SYSCALL`, so that
//! what is built on the stubs can still be compiled and tested there.

use crate::sys::{
    zx_handle_t, zx_object_info_topic_t, zx_rights_t, zx_signals_t, zx_status_t, zx_vm_option_t,
};

#[cfg(all(target_os = "none", target_arch = "aarch64"))]
#[macro_use]
mod aarch64;
#[cfg(not(target_os = "none"))]
#[macro_use]
mod host;
#[cfg(all(target_os = "none", target_arch = "x86_64"))]
#[macro_use]
mod x86_64;

/// The C type of an argument.
macro_rules! c_argument {
    (value $type:ident) => { c_type!($type) };
    (input $type:ident) => { *const c_type!($type) };
    (output $type:ident) => { *mut c_type!($type) };
}

/// The C type of a value.
macro_rules! c_type {
    (FeatureKind) => {
        u32
    };
    (HandleValue) => {
        zx_handle_t
    };
    (IommuType) => {
        u32
    };
    (ProcessOptions) => {
        u32
    };
    (Property) => {
        u32
    };
    (ResourceOptions) => {
        u32
    };
    (Rights) => {
        zx_rights_t
    };
    (Signals) => {
        zx_signals_t
    };
    (Topic) => {
        zx_object_info_topic_t
    };
    (TransferDataOptions) => {
        u32
    };
    (VmOptions) => {
        zx_vm_option_t
    };
    (VmarOp) => {
        u32
    };
    (VmoChildOptions) => {
        u32
    };
    (VmoOp) => {
        u32
    };
    (VmoOptions) => {
        u32
    };
    ($type:ident) => {
        $type
    };
}

/// The C type of a result.
macro_rules! c_result {
    (status) => { zx_status_t };
    (value $type:ident) => { $type };
    (nothing) => { () };
    (never) => { ! };
}

/// Makes what the stub returns of the result register.
macro_rules! from_register {
    ($register:ident status) => {
        $register as zx_status_t
    };
    ($register:ident value $type:ident) => {
        $register as $type
    };
    ($register:ident nothing) => {{
        let _: usize = $register;
    }};
    ($register:ident never) => {
        unreachable!(
            "the kernel resumed a process that has ended: {:#x}",
            $register
        )
    };
}

macro_rules! user_side {
    ($(
        $(#[$doc:meta])*
        $number:literal $name:ident $stub:ident($($argument:ident: $kind:ident $type:ident),* $(,)?)
            -> $result:ident $($value:ident)?;
    )*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// - Each pointer is valid for what the call reads or writes there; the kernel refuses
            ///   addresses it cannot use but cannot know which memory Rust relies on.
            /// - What the call does to the caller's address space or handles breaks no reference or
            ///   owner that is still in use.
            #[inline]
            pub unsafe extern "C" fn $stub(
                $($argument: c_argument!($kind $type)),*
            ) -> c_result!($result $($value)?) {
                // SAFETY:
                // 1. The caller upholds this function's own safety list.
                // 2. The registers are those of the ABI, and the kernel keeps all others.
                let register = unsafe { raw_call!($number $(, $argument as usize)*) };
                from_register!(register $result $($value)?)
            }
        )*
    };
}

crate::for_each_system_call!(user_side);

/// Makes a call by number with all eight argument registers as given; returns the result register.
///
/// This is what tests and fuzzers use to say things that no stub can: unknown numbers, and 32-bit
/// arguments with rubbish in the high half.
///
/// # Safety
/// - As for the stub of that number, if it has one.
pub unsafe fn raw_system_call(number: usize, arguments: [usize; 8]) -> usize {
    let [a, b, c, d, e, f, g, h] = arguments;
    // SAFETY:
    // 1. The caller upholds the safety list of the call.
    // 2. The registers are those of the ABI, and the kernel keeps all others.
    unsafe { raw_call!(number, a, b, c, d, e, f, g, h) }
}
