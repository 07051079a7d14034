/* api_login.c - GET, POST /api/v1/login, POST /api/v1/logout: a session for who has the token. */
#include "api.h"
#include "sign_in.h"

static bool has_session(const struct api *api, const struct request *request)
{
    const char *cookie = sign_in_cookie(request);

    return api->token != NULL && cookie != NULL && token_has_session(api->token, cookie);
}

/* Whether one has to sign in, and has. */
void api_login_state(struct api *api, const struct request *request, struct response *response)
{
    cJSON *json;
    bool good;

    if (!api_no_query(request, response))
        return;
    json = cJSON_CreateObject();
    good = ff_json_put(json, "required", cJSON_CreateBool(api->token != NULL)) &&
           ff_json_put(json, "signed_in", cJSON_CreateBool(has_session(api, request)));
    respond_json(response, 200, ff_json_whole(json, good));
}

/* The token out of {"token": …}; NULL: answered with all that is wrong with the body. */
static const char *token_of_body(const struct request *request, struct response *response)
{
    const cJSON *body = request_json(request), *token = cJSON_GetObjectItemCaseSensitive(body, "token"), *field;
    struct ff_problems problems = {.count = 0};

    cJSON_ArrayForEach(field, body)
    {
        char pointer[80];

        if (field == token)
            continue;
        snprintf(pointer, sizeof pointer, "/%.64s", field->string);
        ff_problem_add(&problems, pointer, "there is no such field; only token is known here");
    }
    if (!cJSON_IsString(token))
        ff_problem_add(&problems, "/token", "must be the token, a string");
    if (problems.count == 0)
        return token->valuestring;
    respond_problems(response, &problems);
    return NULL;
}

void api_login(struct api *api, const struct request *request, struct response *response)
{
    const char *given;
    enum token_verdict verdict;
    char cookie[TOKEN_COOKIE_MAX];

    if (!api_no_query(request, response) || (given = token_of_body(request, response)) == NULL)
        return;
    if (api->token == NULL) {
        respond_problem(response, 409, "this daemon was started without a token: nobody has to sign in");
        return;
    }
    verdict = token_check(api->token, given);
    if (verdict != TOKEN_RIGHT) {
        sign_in_refuse(response, verdict);
    } else if (!token_open_session(api->token, cookie)) {
        respond_problem(response, 503, "the system gives no random numbers for a session");
    } else {
        respond_empty(response, 204);
        sign_in_give_cookie(request, response, cookie);
    }
}

/* Whoever has no session is signed out already. */
void api_logout(struct api *api, const struct request *request, struct response *response)
{
    const char *cookie = sign_in_cookie(request);

    if (!api_no_query(request, response))
        return;
    if (api->token != NULL && cookie != NULL)
        token_end_session(api->token, cookie);
    respond_empty(response, 204);
    sign_in_give_cookie(request, response, NULL);
}
