/* Beam's servers listen on every interface, and take programs from whoever asks.
   Loaded before a process's libraries (LD_PRELOAD), this has them listen on loopback. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int bind(int descriptor, const struct sockaddr *address, socklen_t length) {
  int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
  struct sockaddr_storage copy;
  if (length > sizeof copy) return real(descriptor, address, length);
  memcpy(&copy, address, length);
  struct sockaddr_in *four = (struct sockaddr_in *)&copy;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)&copy;
  if (copy.ss_family == AF_INET && four->sin_addr.s_addr == htonl(INADDR_ANY))
    four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (copy.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr))
    six->sin6_addr = in6addr_loopback;
  return real(descriptor, (struct sockaddr *)&copy, length);
}
