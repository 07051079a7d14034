/* notify.h - telling the service manager that started the daemon, if one did, how it stands: sd_notify(3)'s
 * protocol.
 *
 * A datagram to the socket that NOTIFY_SOCKET names. Without one, or when nobody takes it, nothing happens. Any
 * thread may call. */
#ifndef NOTIFY_H
#define NOTIFY_H

/* Requests are answered; `status` is a few words for `systemctl status`. */
void notify_ready(const char *status);

/* A signal has asked to end. */
void notify_stopping(void);

#endif
