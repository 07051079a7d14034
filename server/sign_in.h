/* sign_in.h - whether a request comes from somebody who has the token, where there is one (token.h).
 *
 * It shows the token in Authorization: Bearer, or the cookie that POST /api/v1/login gave for it. Any thread may
 * call. */
#ifndef SIGN_IN_H
#define SIGN_IN_H

#include <stdbool.h>

#include "http.h"
#include "token.h"

/* The session's cookie in the request, or NULL. */
const char *sign_in_cookie(const struct request *request);

/* Give the browser the session's cookie; NULL: take it away. */
void sign_in_give_cookie(const struct request *request, struct response *response, const char *cookie);

/* False: answered with 401, with 429, or, to who wants a page, with the way to the sign-in page. */
bool sign_in_passes(const struct request *request, struct response *response, struct token *token);

/* What a wrong token is answered with. */
void sign_in_refuse(struct response *response, enum token_verdict verdict);

#endif
