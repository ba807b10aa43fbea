package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// pam is the client of the PAM's HTTP API: a token, POST and DELETE.
type pam struct {
	base   string
	client *http.Client

	mutex   sync.Mutex
	token   string
	renewAt time.Time
}

// body is what the PAM is sent of one credential.
type body struct {
	Identifier string `json:"identifier"`
	Username   string `json:"username"`
	Hostname   string `json:"hostname"`
	IP         string `json:"ip"`
	Content    string `json:"content,omitempty"`
	Additional string `json:"additional,omitempty"`
}

func newPam(base string, connections int) *pam {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.MaxIdleConnsPerHost = connections
	return &pam{base: base, client: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
}

// post creates or updates a credential and returns its id.
func (p *pam) post(ctx context.Context, credential body) (string, error) {
	text, err := json.Marshal(credential)
	if err != nil {
		return "", err
	}
	var answer struct {
		Response   struct{ Error bool }
		Credential struct{ ID string }
	}
	if err := p.call(ctx, http.MethodPost, "/iso/pam/credential", text, &answer); err != nil {
		return "", err
	}
	if answer.Response.Error || answer.Credential.ID == "" {
		return "", fmt.Errorf("the PAM did not accept the credential")
	}
	return answer.Credential.ID, nil
}

// deactivate switches a credential off.
func (p *pam) deactivate(ctx context.Context, id string) error {
	return p.call(ctx, http.MethodDelete, "/iso/pam/credential/"+url.PathEscape(id), nil, nil)
}

func (p *pam) call(ctx context.Context, method, path string, text []byte, answer any) error {
	token, err := p.bearer(ctx)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	return p.do(request, answer)
}

// bearer is the cached token, or a new one.
func (p *pam) bearer(ctx context.Context) (string, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if time.Now().Before(p.renewAt) {
		return p.token, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"client"}, "client_secret": {"secret"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+"/iso/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var grant struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := p.do(request, &grant); err != nil {
		return "", err
	}
	p.token = grant.AccessToken
	p.renewAt = time.Now().Add(time.Duration(grant.ExpiresIn) * time.Second * 9 / 10)
	return p.token, nil
}

func (p *pam) do(request *http.Request, answer any) error {
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("the PAM answered %s", response.Status)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
