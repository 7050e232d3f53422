package aiclient

import (
	"net/http"
	"strings"

	"parley/internal/chat"
	"parley/internal/dialect/wire"
)

// Answer is how /ai words a failure. In the text {field} stands for the field at fault.
type Answer struct {
	Status int
	Text   string
}

// Catalogue words failures by code.
type Catalogue map[chat.Code]Answer

// Answers maps every code of the core to the answer of the catalogue (AI 5); for
// policies the catalogue does not know, see the words the dialects agreed on.
func Answers() Catalogue {
	var (
		badJSON            = Answer{400, "请求体不是有效的 JSON"}
		missing            = Answer{400, "缺少参数: {field}"}
		invalid            = Answer{400, "参数无效: {field}"}
		empty              = Answer{400, "消息内容不能为空"}
		long               = Answer{400, "消息内容不能超过 4000 个字符"}
		self               = Answer{400, "不能给自己发送消息"}
		badSignatureFormat = Answer{400, "签名格式无效"}
		badSignature       = Answer{400, "签名验证失败"}
		badPublicKey       = Answer{400, "公钥格式无效"}
		badHookURL         = Answer{400, "webhook_url 无效"}
		hookBlocked        = Answer{400, "webhook_url 不允许指向该地址"}
		nothing            = Answer{400, "没有可更新的字段"}
		badKey             = Answer{401, "API Key 无效"}
		noLogin            = Answer{401, "未登录或登录已过期"}
		badLogin           = Answer{401, "邮箱或密码错误"}
		disabled           = Answer{403, "AI Agent 已停用"}
		targetOff          = Answer{403, "对方 AI 已停用"}
		notMember          = Answer{403, "不是群成员"}
		forbidden          = Answer{403, "没有权限"}
		groupFull          = Answer{403, "群聊人数已满"}
		capReached         = Answer{403, "数量已达上限"}
		noRoute            = Answer{404, "接口不存在"}
		noAgent            = Answer{404, "AI Agent 不存在"}
		noGroup            = Answer{404, "群聊不存在"}
		badMethod          = Answer{405, "不支持的请求方法"}
		emailTaken         = Answer{409, "邮箱已被注册"}
		usernameTaken      = Answer{409, "用户名已被占用"}
		tooLarge           = Answer{413, "请求体过大"}
		tooMany            = Answer{429, "请求过于频繁,请稍后再试"}
		internal           = Answer{500, "服务器错误"}

		// The owner's pause has no word in the catalogue.
		paused = Answer{403, "已被所有者暂停发送"}
	)
	faulty := func(field string) Answer {
		return Answer{invalid.Status, strings.ReplaceAll(invalid.Text, "{field}", field)}
	}
	return Catalogue{
		chat.CodeBodyInvalid:      badJSON,
		chat.CodeBodyTooLarge:     tooLarge,
		chat.CodeFieldRequired:    missing,
		chat.CodeFieldType:        invalid,
		chat.CodeFieldLength:      invalid,
		chat.CodeFieldInvalid:     invalid,
		chat.CodeNothingToUpdate:  nothing,
		chat.CodeAddressInvalid:   faulty("email"),
		chat.CodeUsernameInvalid:  faulty("username"),
		chat.CodePasswordShort:    faulty("password"),
		chat.CodePasswordLong:     faulty("password"),
		chat.CodeTextEmpty:        empty,
		chat.CodeTextTooLong:      long,
		chat.CodePageLimit:        faulty("limit"),
		chat.CodePageCursor:       faulty("before"),
		chat.CodeSelf:             self,
		chat.CodeSignatureFormat:  badSignatureFormat,
		chat.CodeSignatureBad:     badSignature,
		chat.CodePublicKeyFormat:  badPublicKey,
		chat.CodeHookURL:          badHookURL,
		chat.CodeHookBlocked:      hookBlocked,
		chat.CodeTokenMissing:     badKey,
		chat.CodeTokenInvalid:     badKey,
		chat.CodeLoginFailed:      badLogin,
		chat.CodeSessionRequired:  noLogin,
		chat.CodeAccountOff:       disabled,
		chat.CodePaused:           paused,
		chat.CodeRouteUnknown:     noRoute,
		chat.CodeMethodNotAllowed: badMethod,
		chat.CodeAccountUnknown:   noAgent,
		chat.CodeGroupUnknown:     noGroup,
		chat.CodeGroupDeleted:     noGroup,
		chat.CodeNotMember:        notMember,
		chat.CodeNotPermitted:     forbidden,
		chat.CodePeerGone:         targetOff,
		chat.CodePeerOff:          targetOff,
		chat.CodeBlocked:          forbidden,
		chat.CodeContactsOnly:     forbidden,
		chat.CodeAwaitingReply:    forbidden,
		chat.CodeRestricted:       forbidden,
		chat.CodeBacklogged:       tooMany,
		chat.CodeAddressTaken:     emailTaken,
		chat.CodeUsernameTaken:    usernameTaken,
		chat.CodeMembershipCap:    capReached,
		chat.CodeGroupFull:        groupFull,
		chat.CodeAgentCap:         capReached,
		chat.CodeRateLimited:      tooMany,
		chat.CodeColdCap:          tooMany,
		chat.CodeInternal:         internal,

		// What /ai has no operation for: these cannot be met here, and are worded as what
		// comes nearest.
		chat.CodeStatusInvalid:       invalid,
		chat.CodeStatusTextLong:      invalid,
		chat.CodeSelfMute:            invalid,
		chat.CodeContentTooLarge:     invalid,
		chat.CodeHandleInvalid:       invalid,
		chat.CodeImageEmpty:          invalid,
		chat.CodeImageFormat:         invalid,
		chat.CodeImageDecode:         invalid,
		chat.CodeImageSmall:          invalid,
		chat.CodeImageProcessing:     invalid,
		chat.CodeUploadSize:          invalid,
		chat.CodeUploadChecksum:      invalid,
		chat.CodeUploadExpired:       forbidden,
		chat.CodeUploadDone:          capReached,
		chat.CodeAttachmentScope:     invalid,
		chat.CodeStorageUnreached:    internal,
		chat.CodeCodeExpired:         invalid,
		chat.CodeCodeInvalid:         invalid,
		chat.CodeCodeAttempts:        tooMany,
		chat.CodeCodeCooldown:        tooMany,
		chat.CodeCodeHourly:          tooMany,
		chat.CodeCodeUndelivered:     internal,
		chat.CodeOnceInvalid:         invalid,
		chat.CodeOnceConflict:        capReached,
		chat.CodeOnceRunning:         capReached,
		chat.CodeOperatorNeeded:      badKey,
		chat.CodeCredentialUnknown:   noRoute,
		chat.CodeSpaceUnknown:        noRoute,
		chat.CodeChannelUnknown:      noRoute,
		chat.CodeConversationUnknown: noRoute,
		chat.CodeMessageUnknown:      noRoute,
		chat.CodeContactUnknown:      noRoute,
		chat.CodeBlockUnknown:        noRoute,
		chat.CodeMuteUnknown:         noRoute,
		chat.CodePresenceUnknown:     noRoute,
		chat.CodeMemberUnknown:       noRoute,
		chat.CodeInviteUnknown:       noRoute,
		chat.CodeAttachmentUnknown:   noRoute,
		chat.CodeFileUnknown:         noRoute,
		chat.CodeAvatarUnknown:       noRoute,
		chat.CodeHookUnknown:         noRoute,
		chat.CodeHookUnreachable:     invalid,
		chat.CodeKeyUnknown:          noRoute,
		chat.CodeDeliveryUnknown:     noRoute,
		chat.CodeSystemUnknown:       noRoute,
		chat.CodeEscalationUnknown:   noRoute,
		chat.CodeNotParticipant:      forbidden,
		chat.CodeMuteForeign:         forbidden,
		chat.CodeNotAuthor:           forbidden,
		chat.CodeOwnerStays:          forbidden,
		chat.CodeInviteInvalid:       forbidden,
		chat.CodeNotOwn:              forbidden,
		chat.CodeNotAdmin:            invalid,
		chat.CodeLastAdmin:           invalid,
		chat.CodeProtected:           forbidden,
		chat.CodeAlreadyMember:       capReached,
		chat.CodeLastChannel:         invalid,
		chat.CodeKeyCap:              capReached,
		chat.CodeMemberCap:           capReached,
		chat.CodeChannelCap:          capReached,
		chat.CodeHookCap:             capReached,
		chat.CodeMuteCap:             capReached,
		chat.CodeHandleTaken:         capReached,
		chat.CodeAddressSpent:        capReached,
		chat.CodeAddressAgent:        capReached,
		chat.CodeReported:            capReached,
		chat.CodeClaimed:             capReached,
		chat.CodeClaimAttempts:       tooMany,
		chat.CodeUnavailable:         internal,
		chat.CodeRefreshDown:         internal,
	}
}

// Word puts the facts of an error into the text for its code.
func (c Catalogue) Word(e *chat.Error) Answer {
	answer, ok := c[e.Code]
	if !ok {
		answer = c[chat.CodeInternal]
	}
	answer.Text = strings.ReplaceAll(answer.Text, "{field}", e.Field)
	return answer
}

// ErrorBody is the body of a failure (AI 2).
func ErrorBody(e *chat.Error) any { return bodyOf(Answers().Word(e), e) }

// bodyOf is the body for a failure; a 429 says in it how long to wait (AI 6).
func bodyOf(answer Answer, e *chat.Error) errorResponse {
	body := errorResponse{Error: answer.Text}
	if answer.Status == http.StatusTooManyRequests {
		body.RetryAfter = waitOf(answer, e)
	}
	return body
}

// waitOf is for how many seconds a client should wait, 0 if that would not help. With
// 429 it is at least 1.
func waitOf(answer Answer, e *chat.Error) int {
	wait := wire.WholeSeconds(e.RetryAfter)
	if answer.Status == http.StatusTooManyRequests {
		wait = max(wait, 1)
	}
	return wait
}
