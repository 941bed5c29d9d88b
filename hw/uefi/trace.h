#include "trace/trace-hw_uefi.h"
