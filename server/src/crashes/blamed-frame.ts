/**
 * Chooses the frame that a failure is named after: the first one that is the program's own doing. The lists of
 * system images and of functions that only pass a failure on are ours; a change asks for a new rule-set version.
 */
import { functionName, imageName } from './function-name.js';

/** How a frame was found, best first; `given` are frames that the client sent. */
export type FrameSource = 'context' | 'given' | 'cfi' | 'frame-pointer' | 'scan';

/** One frame of a stack. */
export interface NamedFrame {
  /** File name of the module, or a path to it; missing if the address lies in none. */
  readonly image?: string | undefined;
  /** Function as symbols or client print it. */
  readonly function?: string | undefined;
  /** Bytes from the start of the image. */
  readonly offset?: bigint | number | undefined;
  /** Missing counts as `given`. */
  readonly found?: FrameSource | undefined;
}

/** Images of the operating system and of language runtimes, lower case. */
const systemImages: ReadonlySet<string> = new Set(
  `ntdll.dll kernel32.dll kernelbase.dll ucrtbase.dll ucrtbased.dll msvcrt.dll vcruntime140.dll vcruntime140_1.dll
  vcruntime140d.dll msvcp140.dll msvcp140d.dll msvcr100.dll msvcr110.dll msvcr120.dll msvcp100.dll msvcp110.dll
  msvcp120.dll user32.dll win32u.dll gdi32.dll gdi32full.dll imm32.dll combase.dll ole32.dll oleaut32.dll rpcrt4.dll
  sechost.dll advapi32.dll shell32.dll shlwapi.dll shcore.dll ws2_32.dll mswsock.dll bcrypt.dll bcryptprimitives.dll
  cryptbase.dll wow64.dll wow64cpu.dll wow64win.dll verifier.dll vrfcore.dll vfbasics.dll werfault.exe wer.dll
  faultrep.dll dbghelp.dll dbgcore.dll clr.dll coreclr.dll clrjit.dll mscoree.dll mscoreei.dll mscorwks.dll
  mscorlib.dll mscorlib.ni.dll system.private.corelib.dll hostfxr.dll hostpolicy.dll windows.ui.xaml.dll
  microsoft.ui.xaml.dll windows.ui.dll coremessaging.dll twinapi.appcore.dll wintypes.dll
  nt ntoskrnl.exe ntkrnlmp.exe ntkrnlpa.exe ntkrpamp.exe hal.dll halmacpi.dll win32k.sys win32kbase.sys
  win32kfull.sys linux-gate.so linux-gate.so.1 linux-vdso.so linux-vdso.so.1 libsystem_kernel.dylib
  libsystem_c.dylib libsystem_platform.dylib libsystem_pthread.dylib libsystem_malloc.dylib libc++abi.dylib
  libc++.1.dylib libobjc.a.dylib dyld`.split(/\s+/),
);

/** Shared libraries of Linux and Android, with whatever version behind. */
const systemLibraries =
  /^(?:ld|ld-linux|ld-linux-x86-64|ld-linux-aarch64|ld-musl-[a-z0-9_]+|libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+|libc\+\+|libc\+\+abi|libc\+\+_shared|libart|libandroid_runtime|libasan|libubsan)(?:-[\d.]+)?\.so(?:\.\d+)*$/;

/** Functions that pass a failure on, as failure names print them, lower case, without leading underscores. */
const passingFunctions: ReadonlySet<string> = new Set(
  `cxxthrowexception cxa_throw cxa_rethrow cxa_pure_virtual cxa_bad_cast cxxframehandler3 cxxframehandler4
  c_specific_handler cxa_call_unexpected purecall gxx_personality_v0 unwind_raiseexception unwind_resume
  il_throw il_rethrow std::terminate terminate std::unexpected std::__terminate std::rethrow_exception
  std::__throw_bad_alloc std::__throw_length_error std::__throw_out_of_range std::__throw_out_of_range_fmt
  std::__throw_logic_error std::__throw_runtime_error std::__throw_bad_function_call
  raise gsignal tgkill pthread_kill pthread_kill_implementation kill abort exit assert assert_fail assert_func
  assert_perror_fail wassert invalid_parameter invalid_parameter_noinfo invoke_watson report_gsfailure
  report_rangecheckfailure security_check_cookie stack_chk_fail fortify_fail chk_fail libc_message
  raiseexception rtlraiseexception rtlraisestatus rtlfailfast rtlfailfast2 raisefailfastexception fastfail
  kiuserexceptiondispatch kiuserexceptiondispatcher rtldispatchexception rtlpexecutehandlerforexception
  unhandledexceptionfilter kifastsystemcallret kiraiseuserexceptiondispatcher kiusercallbackdispatcher
  dbgbreakpoint dbguserbreakpoint debugbreak
  kebugcheck kebugcheckex kebugcheck2 kibugcheckdispatch kipagefault kiexceptiondispatch kidispatchexception
  kigeneralprotectionfault kifastfaildispatch kiraisesecuritycheckfailure
  memcpy memmove memset memcmp memchr memccpy wmemcpy wmemmove wmemset wmemcmp strlen strcpy strncpy strcmp strncmp
  strcat strncat strchr strrchr wcslen wcscpy wcsncpy wcscmp wcsncmp wcscat strcpy_s memcpy_s memmove_s
  memcpy_chk memmove_chk memset_chk strcpy_chk rtlcopymemory rtlmovememory rtlfillmemory rtlzeromemory
  malloc calloc realloc free aligned_alloc posix_memalign memalign cfree malloc_base free_base calloc_base
  realloc_base libc_malloc libc_free libc_calloc libc_realloc int_malloc int_free malloc_printerr
  malloc_consolidate operator_new operator_new__
  operator_delete operator_delete__ heapalloc heapfree heaprealloc localalloc localfree globalalloc globalfree
  rtlallocateheap rtlfreeheap rtlreallocateheap rtlpallocateheap rtlpfreeheap exallocatepoolwithtag
  exallocatepool2 exfreepool exfreepoolwithtag cotaskmemalloc cotaskmemfree sysallocstring sysfreestring
  waitforsingleobject waitforsingleobjectex waitformultipleobjects waitformultipleobjectsex ntwaitforsingleobject
  zwwaitforsingleobject ntwaitformultipleobjects msgwaitformultipleobjects msgwaitformultipleobjectsex
  sleep sleepex nanosleep usleep poll ppoll select epoll_wait futex_wait pthread_cond_wait pthread_cond_timedwait
  sleepconditionvariablecs sleepconditionvariablesrw kewaitforsingleobject kewaitformultipleobjects
  entercriticalsection leavecriticalsection rtlentercriticalsection rtlleavecriticalsection
  rtlpentercriticalsectioncontended rtlpwaitoncriticalsection acquiresrwlockexclusive acquiresrwlockshared
  releasesrwlockexclusive releasesrwlockshared rtlacquiresrwlockexclusive rtlacquiresrwlockshared
  rtlreleasesrwlockexclusive rtlreleasesrwlockshared pthread_mutex_lock pthread_mutex_unlock lll_lock_wait
  pthread_rwlock_rdlock pthread_rwlock_wrlock mtx_lock mtx_unlock std::mutex::lock std::mutex::unlock
  std::recursive_mutex::lock std::recursive_mutex::unlock std::shared_mutex::lock std::shared_mutex::lock_shared
  keacquirespinlock keacquirespinlockraisetodpc kereleasespinlock
  rust_panic rust_begin_unwind rust_start_panic core::panicking::panic core::panicking::panic_fmt
  core::panicking::panic_bounds_check core::option::unwrap_failed core::result::unwrap_failed
  std::panicking::begin_panic std::panicking::begin_panic_handler std::panicking::rust_panic_with_hook
  runtime.throw runtime.fatalthrow runtime.gopanic runtime.sigpanic`.split(/\s+/),
);

/** Families whose members end in a processor or a compiler's choice: `__memmove_avx_unaligned_erms`. */
const passingFamilies =
  /^(?:(?:mem|str|wcs|wmem)[a-z]+_(?:avx|avx2|avx512|evex|sse2|sse4_1|ssse3|neon|aarch64|generic|sve|erms)[a-z0-9_]*|std::_?_?throw_[a-z_]+|std::(?:lock_guard|unique_lock|scoped_lock|shared_lock)_.*)$/;

/** True for an image of the operating system or of a language runtime. */
export function isSystemImage(image: string): boolean {
  const name = image.toLowerCase();
  return systemImages.has(name) || systemLibraries.test(name);
}

/** True for a function that passes a failure on, such as `abort`, `memcpy` or `_CxxThrowException`. */
export function isPassingFunction(name: string): boolean {
  const plain = name
    .toLowerCase()
    .replace(/^_*(?:gi_)?_*/, '')
    .replace(/_+$/, (end) => (name.startsWith('operator') ? end : ''));
  return passingFunctions.has(plain) || passingFamilies.test(plain);
}

/** Whether a failure may be named after a frame. */
function isOwn(frame: NamedFrame): boolean {
  const image = frame.image === undefined ? undefined : imageName(frame.image);
  const name = frame.function === undefined ? undefined : functionName(frame.function);
  if (image === undefined && name === undefined) return false;
  if (image !== undefined && isSystemImage(image)) return false;
  return name === undefined || !isPassingFunction(name);
}

/**
 * The position of the frame that a failure is named after, `undefined` if no frame has an image or a function. The
 * program's own first frame; one found by scanning only if no better-founded own frame stands above the root of the
 * stack; the top frame if none is the program's own.
 */
export function blamedFrame(frames: readonly NamedFrame[]): number | undefined {
  const own = frames.flatMap((frame, index) => (isOwn(frame) ? [index] : []));
  const founded = own.find((index) => frames[index]?.found !== 'scan' && index < frames.length - 1);
  const first = founded ?? own[0];
  if (first !== undefined) return first;
  const top = frames.findIndex(
    ({ image, function: name }) =>
      (image !== undefined && imageName(image) !== undefined) ||
      (name !== undefined && functionName(name) !== undefined),
  );
  return top === -1 ? undefined : top;
}
