"""Public keys whose private halves anybody can read: examples of standards, defaults and tests of well-known projects.

A small list for the mistakes that happen (a key copied from a tutorial, a default never replaced), not a blocklist of
compromised keys. Each thumbprint was computed from the private key as it stands in the source, or in a copy that says
which section of the RFC it quotes. Only thumbprints are kept here. RSA keys under 2048 bits are left out (but for RFC
9500): the default policy refuses them anyway.
"""

from collections.abc import Mapping
from types import MappingProxyType

_PUBLISHED = {
    "RFC 7515 appendix A.2": "IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8",
    "RFC 7515 appendix A.3": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
    "RFC 7515 appendix A.4": "u5YUSjQ2-2chBi51NSk3t3g7IM4o2KYcnPqPtCNGd3U",
    "RFC 7516 appendix A.1": "xtIsOV1FqKH77AI_A3jdTg5QfdabzqI-LNpYTPi0IgI",
    "RFC 7516 appendix A.2": "_K0fXS8wlsT7Tn3vvZrs9qdKUIqi5AxQ5EVk41xi_BM",
    "RFC 7517 appendices A.1 and A.2": "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
    "RFC 7517 appendices A.1 and A.2, RFC 7638 section 3.1": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    "RFC 7517 appendix C.1": "D8R4-FeTJfzuDUy8bZ0c4hcwpul-Q11gCPs3mw6-R9Q",
    "RFC 7518 appendix C": "_GK0r6GCoJt9zcssg9lay4obIxgCq05ntiRymRHADSU Vy57XrArUrW0NbpI12tEzDHABxMwrTh6HHXRenSpnCo",
    "RFC 7520 section 3.2": "dHri3SADZkrush5HU_50AoRhcKFryN-PI6jPBtPL55M",
    "RFC 7520 section 3.4": "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI",
    "RFC 7520 section 5.1": "h_jutvC-jg3Nwueq8LmdSybXykVsBwk4_5u5Y9JiS7E",
    "RFC 7520 section 5.2": "Rt-IyDEhXohvTl_ozKQ9YGflXGuDb3uu3QmqN2LoMwM",
    "RFC 7520 section 5.4": "YlKlB7M2wnS0cPn_V7OW-FuDLuWdJ9z4OvPHmhGDfeE rTtHPa7sf4UUCCKAww7j-XnhD2AKwOGNIsGDDipf_EM",
    "RFC 7520 section 5.5": "HsSFalww3yP-dO-lWGYgFcyV5H22oScIFc4V2Y6GOto mTVa39KNK8LI9ZgAkyqQOQayaqVO7DXurapqkzEbfMg",
    "RFC 7520 section 5.13": "mn9TtdH1OfJlO91eUXaEGe9tTrDzowXs_n2wKGrqLN4",
    "RFC 7520 section 6": "8izOqBCj1XBwWw0-iTcMv27pUKWwFvNmw-kutyfzf-g",
    "RFC 8037 appendix A.1, RFC 8032 section 7.1": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    "RFC 8032 section 7.1": """
        FtIu-VbGrfe_KB6CH7GNwODB72MNxj_ml11dEvO-7kk FVV5umTuau890q59V-4Ga_R6qWb7ON_ivJc4EjvCwTM
        lZI1vM7tnlYapaF5-cy86ptx0tT_8Av721hhiNB5ti4
    """,
    "RFC 8032 sections 7.1 and 7.3": "iiDHHfFVNG6ICMUTsicgrWf1igtFYZEK73xlobt1ah4",
    "RFC 8032 section 7.2": "2bVIQ9_u0wVxBsBwmxK3F42rRFnt_dA7CZQ3u_2RKZY",
    "RFC 8032 section 7.4": """
        zQstisLFDWZb-FiVsZl6490ATVgxw_63L-xYldKyuUY dmWebDhaEkyn9NH-xdf-tgWROS-EpJOMf1USIWM0_Zg
        jIHXW3PjfEN8speUwxCmGsgaahGeUBxDAdTVDKe654I XGApTj8rhUdUN6BiAzl5a_SEzwN9gtMvRhQDNmZUjkM
        -ugd1qGIdtPrqUTa78u1CL4JvWMAKFc_Dc2m26D-X6k pPh1GpsutoCq7j4fTD4vqpPaULP0NhOg0_VTG_J_z1E
        sxI__beGtEGUO6j4v147-Yp5Jci1Z30RF3oOqkItgcg StsG8pOMaYLgH0SCr8gXRPWChjOXQkBR3SwCx5xhpl0
    """,
    "RFC 8032 section 7.5": "BKeaqvhW87qK8qdQdD8HbVpXoE8GeVSJEv_fnz2egXQ",
    "RFC 6979 appendix A.2.5": "DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0",
    "RFC 6979 appendix A.2.6": "l2tfkSzhekdOr24I18E1O_-49AlK14MTo7OxJMS7-HI",
    "RFC 6979 appendix A.2.7": "YEV1EIv9vYLGY_GThCEOLkeymqP0eeXUU7MmlJhqgGA",
    "RFC 9500 section 2.1": """
        tncOKLAJ8sg-HMK_1z5zyCn7UaN4Dh53GmWN93_Z3g0 Fa5JHFzFB8yHv0Dk3rGTgtCQPXPr3q8midyfylf8CUU
        u88se-xodYvJqpVtfxKIhE6bv2S6Z9hy1ikqIcPciAE
    """,
    "RFC 9500 section 2.3": """
        LIstkoCvByn4jk8oZPvigQkzTzO9UwnGnE-VMlkZvYQ TLOWIUBG7ALE2U13WMeEAErmpD48gp8MllKbX_zBARE
        uG5zwmkbOsp4CWXAXpcCwS_BBebz0EP871Y1aRTdY9E
    """,
    "RFC 6605 section 6": "eD0PULZNVbjzVUEYhTXrPIGeIfttetyz2TinbRRrDh8 c_0UpWcyUnvQC91D5ATbWIM9seRg94CqJ40pdgiNm-o",
    "RFC 8080 section 6": """
        N_IRqpXbColOXawKcNKmvXX4Ty8KUGn8g1T7tKkQ0w4 W0WNegPYjImHD-oRifTF8dwTUEDqSCNtqhZu8v9o30k
        wFZY1YRFK-6ImQi6MNNiwQuCuf164_Y-2soRISHxMGA TSxbEzG9K7Qp_WOgd8M1IUl4itEioHudPR0ELH5nASI
    """,
    "RFC 8410 section 10.3": "3YZxBJ12jO3n_mXt_q-j_Z-TFP1vt-NiI3OCf-fEnHQ",
    "RFC 8696": "DelSDncZw4S1N8q-4NaDVOC82MYtGMGvvBFHFN8qG3M",
    "RFC 9216": "BXqw70fsE5fIP5tLHeTMQtlxaF3lEJOjRf2aLHx4Rao 7kAUHrvMcGQb8LZmc8vkF6erQ3LmA1ULBaD_mFkOMCs",
    "RFC 9635": "NIYMyBjsDjyBC9P537D6ITzkpD8NtRji9yapEzC66mQ",
    "RFC 9421 appendix B.1": """
        BHj8s0GPnMEQtkaULIM-PLgEhLBbuGUQ1vMxmBWZzEo oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA
        ydQXMtvbsOsZyFir-Y7A8t7fKEM1gbKPvyFkdpu4fvI poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U
    """,
    "draft-madden-jose-ecdh-1pu-04 appendix A": "qT5yKRo0isoECLGe0-hJJux4iMROawVfs8LFcQ2Aveo",
    "jwt.io, default keys": """
        iTqXXI0zbAnJCKDaobfhkM1f-6rMSpTfyZMRp_2tKI8 19J8y7Zprt2-QKLjF2I5pVk0OELX6cY2AfaAv1LC_w8
        oGDmHqCJ7yzMkWEkrlZVHkvrHIyQwtlDmeq5ForUHeY xZDfZpry4P9vZPZyG2fNBRj-7Lz5omVdm7tHoCgSNfY
        QBeWNRsYJ8Gd0ovgTO17OrzkRbfxu_hA8blamxD_Lf8
    """,
    "jwt.io, former default keys": "zFHVsM9dc4OlHIwvEnVqfKzRj1ujqYGsZnXAcgn_CqI",
    "github.com/navikt/mock-oauth2-server, src/main/resources": """
        3Io-o0-B-3DnOYSfR5pQIwrnYMfxlRaJ4O5P8V8Le9o cVVOVAELeQlRE_yIRr2HU3-8nX2kZ4p-ZlbDWd0LKr4
        bP_Quj3OZt03y6CSm7q1hZE4Ss0F2epXyvd3NEE3f9E vC94Nfo2Ik0lxNZDrx4bHZClSlnto6DXCJrkgcmYiOI
        jLwKw2OkgqCSffRBkSDDviZxi_1av0iLQhg1pq7h4tg PrcpQJ23aSVm5n0fzFf4mw6tG5d_2Zm9svzBosd6xOU
        SDWQjFOOxS8BxTTmvvHstZ7Wbnb0a4GTYaV_3DdVzJs
    """,
    "github.com/panva/node-oidc-provider, lib/consts/dev_keystore.js": "r1LkbBo3925Rb2ZFFrKyU3MVex9T2817Kx0vbi6i_Kc",
    "github.com/mitreid-connect/OpenID-Connect-Java-Spring-Server, keystore.jwks": """
        dJZnjGLXZiG0QUUuovRWdfYZ7rCmbGEnxQL9os7mGdQ
    """,
    "github.com/cloudfoundry/uaa, scripts/cargo/uaa.yml": "eIesrGPOzdHqpP4HbOOE53QwvBDAEUx0IVRChfPdUZU",
    "github.com/getmoto/moto, moto/cognitoidp/resources/jwks-private.json": """
        DThM452l6A6MKX8FOZQarky5V3qqRNx2uSWRZEF_j4A
    """,
    "github.com/jagregory/cognito-local, src/keys": "jS8J3RuOy291lpsiFe2NfKV6VkdfMF4Q_840qOLXAjs",
    "github.com/istio/istio, security/tools/jwt/samples/key.pem": "DHFbpoIUqrY8t2zpA2qXfCmr5VO5ZEr4RzHU_-envvQ",
    "github.com/istio/istio, samples/jwt-server": "FeUpmgb2sn8EK282AMs850LoFDIIY20ISr8ZeLBY_1Y",
    "github.com/istio/istio, samples/certs": """
        pVr6G4bJhZQ2hwF-eNSyLIWHqyQSTiFHAH12pUODq5k iKwbZJ--xpBoQUdRoXP5vM2Z2q_gkV6oCsqRQa00Uyc
        cIjvhynCkT3TLS4DgRRm4JE2IQVKlz1rxciWvj9Zc8A lOnO58vTVlLRTQr55sFdDktgrN5HzbruWeRp_5sGMhE
        voGcDvgsaCT_u21G0WX0iTK4BZFblXwVYYejG1eobQw
    """,
    "github.com/istio/istio, tests/common/jwt": "tT_w9LRNrY7wJalGsTYSt7rutZi86Gvyc0EKR4CaQAw",
    "github.com/eclipse/microprofile-jwt-auth, tck/src/test/resources": """
        0bVYiaVSTn7Os7u2jSPnZvvHd47OJ3KYsUTuMqTyWUE PtX19W40O3XuIGWUkePe9UCUn1hZ2VbHFSzwKzP-nEI
        ML2-9SXxlH35jv0jOI_SWXv1qK_B_pcL9PowUXAA76o nL5k8AdxSxXd2S8tmGVsyfpAFFVwNTuz-pEi6x6T-L8
    """,
    "github.com/smallrye/smallrye-jwt, test resources": """
        9V8DWjH76DcqkiFlfELld5qGnGvwylhiKqJsurcF-eI 6u3zV21_zhfVNxO7gHrdezyYVf76xSmHJdXAXLTIsbk
        lq1Cn5g7OJdU5SxvG9bI7dE7RhK5ywZnMxXwUO1Eh_c lGbD3GRHyOmx_l5B6xJdn2oke-u0l1egyTUr5hF6dR4
        BqVmQV7vGR0HQT4B1wOACgDafg90JV62rQU0Q4wm9-w uthn5aRob3-x9QQkINHzkLSiGKbD8AJq9Co_eKHTsCE
    """,
    "github.com/spring-projects/spring-security-samples": """
        S_VkWFiuYSQ42ro_7NiiNZVzEEvnwFBX6dcLuPZRGO4 -JtsmOpIGtOAPJPFoEZGYYQ6lSW0dTsxRZ0IXH9uVho
        96A02nJDJmz_tsNfUNZvEuGt1G8wRWjD7A_JCJlNiDE bllgkQz8RGTgyb4USOgp-Nqf4TrLmFG50c4Yy5f3qLA
    """,
    "github.com/spring-projects/spring-security, tests": """
        MSYowUw9DUZr5NQ8ujlbSgi92_vHza5ICICRHQT2VDw qmrPSEEJhC_31jIViKVnLfDBEwaJmfA2gkJt-zIPL64
        qPKir4S_OQ8Q-m-h0Eh_wCyfP7pzcLLdG2yXjxmWYYY 7agZD4ZhFa3R-ZOZXrnMW5EgZ5cq_HpAfdD5fk8jCxM
        FvypVvyHaHAADiEox9ZXGq7Ms5tm43MxaJ8-FhX1c_g vsGAlAC_W_3lcfDmX8e5Qru4Ric56ObEUd6xnJdlgTM
        rFp8-Ara9H21drO7KNaFdRTlnI4HNgx5a8v1apGYIps afoVJv5uenCuoZGhLXHwpEd5meL4ElUCUKI5sWmP9QM
    """,
    "github.com/hashicorp/vagrant, keys": """
        bQGN3ek6ECMdzyfKWFENIfDmKx78nvPvX6vDIlB21gY CX5FgQYxJjvYIgFn3loL0aikbOD8d-8R8HVfpx3qCl8
    """,
    "github.com/golang/go, net/http/internal/testcert": "lB5BH7KlCWtx0BnWdU0girHCjc7qQY8mBYaUflQcMks",
    "github.com/golang/go, crypto/tls tests": """
        Nc948eE4WoqVDE9o3TS-N7gMb6H-GtuhyiqTR-9OOpk i92jSqiKLxwJBfJw2pL9W7UXi5XxZJtkkifaQVQD9Ck
        pButN1PeZBocM2EeMO9NNwI9W4Z7C0hob2KD7QY5UWc b_r7AmAwYQA05JRPWyYKvwFZ9mqa37B4SaxTVpjjzoQ
    """,
    "github.com/auth0/node-jsonwebtoken, test": """
        QJ3vws38tuceZzirZ-dpxXuDf_9AjMKBRTJqO4NEH44 GtpwwA9LzqyJI4cCKBFWgXinS8Ir-r7qazNtMgGTbCg
        TMWZPLxBB0oRvBbIun4452YAbNbLDI1XJryOUN3wmng h-WwIaCbi9W3pjrPgyYK5cnFh93IA-oALuB380lCwHY
        8AS978EwsQ-wjtRLABqrTVCPVEzXdsUXk__G1K0J2UE raFAoAst1lmSXjjfkQapfVAhmNp9jcmIDlELRXAjLtM
        TixnGlo_uEIkxIEGid-o4NKAmZaAUOZoJLmQGjuwhEY PhwXPZXyzrduntX65RThv7WmFFqVbtiTeFS8Vl5QpIU
    """,
    "github.com/auth0/node-jwks-rsa, tests": "NbSPGqIEnA6qHugUrGtErPPCowtKACpMlw7PERKL_p8",
    "github.com/auth0/java-jwt, lib/src/test/resources": """
        n3iSK513CAdxraGL6tP2rlGRt6sC3TqubDzjjrGb-R8 ndeKupI1QhdrU1kp4NtrRXUlq2BfGkk4CDZJ2WE4pMY
        rHSGOXZscrfzZU6hUCzqkReu0xT5jzWR7mK8tT3k2ls
    """,
    "github.com/golang-jwt/jwt, test": """
        2U1MPNC1iWSC_8uvLByexKFXziTWPQCeeUbuuvzN4JQ Pem97H8_Sp2Id3TDBfHtTEkW2uyaOZeV-6-37CT4DHU
        y-wBQwBMJnZyGaXoJDmD03xKbH1qUcGrB7AjcTIenO0 UVSYOAYMLo8sxJkSZl2DZDHA6sP9UlyYSl2moTB7i9Q
        amdF9dbIu4yFkPrxCb-yyHwaBteNzPn5dA4VswAO2Qs
    """,
    "github.com/jpadilla/pyjwt, docs/usage.rst": """
        MG5cGnndDjB73SYRgx--spCT-WaYyVbc3gZe1PLpj9Y 16zKmuhb0KVARMX3l7bLuhbfIOS3ApYIvxGZdbolzg0
        zD6Ku27DiffK3Eo53dEThwg7azhZfXYV0x8egjO42jA keB2QPl5o1okSEJB3ZuhJZd2Ns8D_7ol2_KAcfqJHxQ
    """,
    "github.com/jpadilla/pyjwt, tests": """
        3XqHrr6_xhD8tmbJaQKyGGU6bXQXJ_USxYhWllzaPI0 wT7fM_WM0z4DWg05Bgn71JaBtGAnOT7i5hCmRQGxJnM
        HrqQ1PzR6EwoBf1HjOtlpPKgzQPp0M2eYHaMywYRTqo 8AXhKGvc63Fy-4ictCXIcYW2XGE2V3Twfbr29IQDi5o
        jCdWsBJ7pLKhYcPAj_E8Ee6m6kaX9wMBrzZbvgJiQJk vrKoGfczRHox0NhQdBBwieFVn4_G_8hLybJ2AL21vGc
        QHoVnpbjGNmAvodCMhECS8du1u8fzmwBpFb4-BwoiqU sqHEhxXdRW30N7flpatu86vDLZPEr-_kTK0TJkmRDII
        _iuF2Pw4m8L1V3_5TZZd2cuha4PviMyXvWV4l9GfzOE qQ6jEDQi_utuJJopIs6HKOUwBGparO3roUaHeHxsjgM
    """,
    "github.com/mpdavis/python-jose, tests": """
        jBbPiueQ9_CNgmWEZWjmYVKzk9GLOt_eVYgGSc0_35Q MBYaekbZIPvUTXzm5rmtNgaJILlTGTHTvo1CP4ZxHKA
        4q49a80X0E7jJ-35heknPawF3IK1MS9SW0G4ll1hmJw aMfeAme-t4bdPf8ft-TPlCwcty4tyTjV5DA0LrcKe1k
        cmTD04u2Gff46Lb2ouqmjfar2ZkaMI5vTzHpQ4GiCFA xIXR6t65xxzjuIOWwG_R0nsJ_9DJz7v1BQBjUsHrQcs
    """,
    "github.com/authlib/authlib, tests": """
        vYqiohrjkJYey8kEscGYjVSN4GmqO-ny44MGqu6QEU0 Fhc9nm2XM5BYWCEHOzIrx_CsISd2o1ZJQLeUOuLY3vU
        KuaPb38K0yzga_RTVA2nL0GpPYeG5AuG20dcKHMs1n0 2E3MHQnBpzum0VP40zI5waiiEO45C-PmrGtMcpMH5_4
    """,
    "github.com/authlib/joserfc, tests/keys": """
        38FCi8vp-aA5M2_0fBwZiJ2JVoN7C6h-iXUsSVfDaVU 5V_IcL-iX5IbaNz9vg0CjXtWLZiJ94-ESnHI-HN1L2Y
        WXhO7f-Pau2kvAWFvYgy5uXREHsN4CapGBnTpemdfpU i7p1sW_TxXQjMrNZAQKbxKcRWoe07wVY54DN_qPXV2U
        1d4WpTLX3uEcaOTU0f2Ph6LBNCUAg9TIsy2gPV46SzM Z7ww2JCBVzul6AFBeUJ7CrKFaI7O6Cvk6RaqB6g68FM
        2E1OdxZpcumVs2mGqPK3_wpIIbBUcBebSi4xl59fwSo 7ihR0kH3eBy8D3Jii6z-kHrV_zCR_2p1dFMOYKLl-i8
    """,
    "github.com/latchset/jwcrypto, jwcrypto/tests.py": """
        XVF4Eug99S9DjsF11IK6IQqIVkkG24OCmW4nH6lmBuE FAbORfavhKVAWyiRvTYyQr8dOpfR7Q75_gXzWPmFfMw
        t3mhyuyM2_C20X8UXcdwmedVabkd-TJZLgLOmDRq-2g
    """,
    "github.com/panva/jose, docs": """
        sEMDq6WeoWnxWDcNpTSp8e3p1LRe7a9MlDpxtaq5Yqk P6_UlUzeyDoiWQA-JSzuPnUHUpS1VHeqpnff1lONK-E
    """,
    "github.com/panva/jose, tests": """
        Z0HljlUMTsjZpdpUtqK0rQxqKIG0CvXmeGhUq_sM2MI D4-9iPw9EaqFBbJouxhLZkeUK_SGZFW_jeaymtacZmI
        SEPeugMJr-woOqVGX82bgLA4v1w7LzsNbdgQOL_qp8g 1iws86sWz0kQnkhDNNajooXO86P--KClDuALT4R5y0I
        9lpMJhQsIpwa1urtuFCpGNqjibul3MCn62NUJZyHDVI ZuLUAgyr6RQV3ERjDukHzOO_90rVbrPiE1vD_HtPFuM
        hJU8GvYjtifxLVuBDSNmhLBF19wQHaZvQhfpT3wKzpE a-5xuiQoRqlLBtec9jRpXoGTVOP10SGnj2Und0CHHxw
        BuXfDiv1AfvOwRDC9D3W80W0QmTdPnikZurnQb6mLvU m0QpcaNYR8YmMtmEj4cJ9gDxXk99cVhaK7F11IsgaEo
    """,
    "github.com/panva/node-oidc-provider, example, certification and test": """
        EUsMLFwXz5zMhkJoo1lcnIM2pApLc3kc_2WV8YKYC3M rxZogVFbs1tz36D4tmlW0yEHUTfD_mxyF3RSWBe5eHI
        LJuZnTrnhtSbpcjnu4pq3Xvrmzy6sI_fUOd7L7Bh9to w5kPRdJWODnYjihMgqs0tHkKk-e5OxU4DnSCZDkF_h0
        MFZeG102dQiqbANoaMlW_Jmf7fOZmtRsHt77JFhTpF0 mlSUkq-ELqZiWl9zs9ZKkbcjIvgajGgnXfPWUZn9lEc
        rqHXKVLLF2RxqFgXWfEZE578gM-IhelOjugVfb_BMZ4 rV1Hjt_79O_m1oJ7Jz0QgKHDa2iwb8p4kvMU0L99wjg
        RG_hu6lggazoCOu2wsrn3icSvhAXuGyL55f2GAaH2NA MPcTmIIPYRnLt9s_TdBrpV27HcNVDi9aZpB0eJvAxzE
        CLjPrbijCB2z9dScRNpM1mSGOQVOIByTmd18Ft2eiAQ aeR7dRJK-JooXUtywZMx_y3b9_72hU7ZliAqbAO_hjc
        XmH77-aaYQgbH1xKhjL4-u9Hk0f6R73ylec0vtb4zRY Lt3iJr8O907aDo8usLeOduu0DB6C0ctqWumHsB9dl28
        cMzrEnOQwQCZ2wE0PdUYQN3H_ez6UiobsuNpkHp_UUo inKps3BjRIjEs3kfNnExJjgq4wRn_h_Znaw0xxYEhDM
        1xROmZz_61I8l-LJro_5Zi85OAV_SkI_XYB0ivyVPU0 e0E9_EexvEyoDYUwFH_mbP9FitPWB7JR5fYBIvzVbHA
        7k9sks5sZ3NqrS55feHFQdMBkeG7lCPZGF852ZRkmL0 Ja7-VHHj3GN9D8z5t2WtD4EhzLUaGCHV0xbUBW2COXY
    """,
    "github.com/cisco/node-jose, test": """
        w3WoHBaDi6JHTyVV4ueFsMUeaGzjZzNmpITzJkKjuiU hpSYvh3FmNC4lQqq4Y26hdpbbgEFLIqQ3P_dxF_TiP8
        uOJ9yEUQTSmBRLFOmbdFSoQhguJhiIrkL1WoyhUpp9s yEDOXtO5xi-ssF6CrI5wtPpMR8RWpfmK4Mvlo-LrzqU
        TUdgWpY_HHScSQzw1X8WJM4BL-Eu_WflXFme65oVwXk lJH24DSIlmbulrJVt0THQ6XJMlxBjD023xHR_4SMAhU
        Vpbdt4gb-vySwCpw6Nyvw4reH5UI9kPSk64oLVmEjrg _hPC_YAGupGk2LLaY7w3zVQCxw3ygXKzGI9Zd4Ip_fI
        Vgg03KVNhbybLPB02rHM-9Tk-qJQqwqZHay02i9uOZ4
    """,
    "github.com/firebase/php-jwt, README.md": "BdQkBDq-hAX31FEpsiS64v2TSQ-6MKgv1N722_djQn0",
    "github.com/firebase/php-jwt, tests/data": """
        k55YyAFjOlHCcJQm-caAbljt1Kfm4KC1heDfH44sKEU ksx3LePKYYbsjB7OHnmZC_7ITM-Z0V-HW9qg39qqw9g
        8bdwyQ9C6ugmDO3B7PH_1qs1MjCd7CDnAllHTbqa8W8 W2B9qMGaq6tqBq9LDKG0q2xx3ms9tJUrI7uqgxs1PbI
        e4QJ3pVKsbdtR8nPO-q_4Kpe7CieKbKHQ--7re44BoM bZJlxaI0CbbROGR2t7zNb0xmDwimlw0Asta_F4EpsQc
    """,
    "github.com/lcobucci/jwt, tests": """
        PnFC5usetzbwRYy9njkO4ptQzp7gPP4swgL5o9mV-ow aJPGjq0yBntvWoo3bTeFnuT73veTe56w0a-trVWvn8k
        qitTiLMHpHSk-fYRfdJuzvQXNv2lNg9q1XPsK74PnKE 2AWk2jqHPn0I8AqDWKJWVfa9d1YXwPMKs7hwrtDEnBw
        O2P3uEqGrD_yNkud3aNJVuruJ_4j62yXQoh9p7eRj90 uCGmRAoa3fB7xyzNwVInhAO_pBUzPTZ1tUC0gcNnhys
        mw7jV9ivBGmwgZ1zI5czlv5GZzGeZdwKvjpk0j6XkXw
    """,
    "github.com/thephpleague/oauth2-server, tests/Stubs": """
        CyTpwo6PEjaP_FHOUyhDiB5nTVSKJ6J-5xJjNVl6h9c QbvVOMIVHxm-4dij5G-2rEbJp8qGG-B6xOOi7bIq1z4
    """,
    "github.com/web-token/jwt-framework, tests": """
        24n57BWIS5wmsQio48nLqwDlpHRzZVXyvywMM2-DFoc 35eTpyRSEvW_oRtSVprpZvv86ioJ4hmh_MmeJdfen3U
        4W7cMoQ_BqCXat1q8tBxHlyjDhCT0rAan3neX3-pB7g z362jg-dRw7D4FHag-zz1TlxfmX6DGItbCqu1xCSSMM
        dDmK7S11Z6_r7VZpdB-btPew0dqB-el2o4A8KY-dbqc LVjPVwPM633qyeoW2QeJSsU6iLN9mwfvXRaDZ-BcQr0
        H8mqqxID12QJAO295WsQNL4171ZwyXG10koFZsfYIGY NCF9k1DVcnK-4_JO1-aEWkGP_lGV9B8tWZH0ioY2oP8
        x4fyP7xPHMjzkFxlZo4lxm9kQfDoLz6prh0HgXcKcrg AaThGLrTT0B0bz58TzhMiBB52uZYlN5oKPFQL0ltU_4
        wlcejvOxA6UmBiXeQa5rcWDH00xLjgGU0x_ajaYpKQ4 KdhFqpVQxSLlisB8K5wle2cg6hpdgp-1lnTN4V0kaqs
        ESYI-tHbsfnKSykOLqBGrcGgO71O9qdRl_M5hgZrtJQ QmMvGY-hZ3RVesFLnqjFE0U1yKbABHwfagRkJPgbj5c
        QTQE7-wlvPe2PzF3D4L6FTAzYKqELmoPbcQByZxA5Uk
    """,
    "github.com/jwt/ruby-jwt, spec/fixtures/keys": """
        7dsF_V-CiXdbKQV35C8UzdEDdK1R6Mi2MWStrsPSrE4 gqoyeivUozAQCk9EyHpAi11uM-_0x4J1oEPSGjJD3WE
        0csZF--FDb8kZYrkaj4WX6ubtMmbVNqSo3Htvxi7mIY TBjzrMSd-Ujdz_nPrE8AbO_eZ48FEdRrM15e2TGrw1o
        QbLMgBbovOPthg1sKVLRHVE2o5amw3hAA3CxVnA-WAQ OZn6R2AwyTZuZYfqIR1Fc3Npuplo97331X6u-5URet0
        tYk1Kp6iLkJc7sF1e19AQYlXQIy5WvU9Lpvzp88KmLs
    """,
    "github.com/jwtk/jjwt, impl/src/test/resources": """
        fW_7qgfNlE9Rwg2hZ4oX-u9572zzYFzyFkEb5mUYU6o IS1uGwHBJNfJoPIgovJk9RO2V4eU_t0RqfucC_XcqsA
        lZ0fe_S3ht79dhRp2AACP-L2pUQMX2TwrljQwoVNvW0 bOuRO9XDi8CKDv2mJUTeHaeM9OYm_fxtQc1OvgjGgZ8
        a6ss6SiV1EZgEu9Gz0xnuUBVHNJPNkdTyLoCxZtoieQ oQccRNbAlM2AVlR_off2dGVNsTWO29N1120OUPtDudM
        b2W2QYUcNaLlDdPB1lj4stcGLAxYrBC6ohh2cQngyMg tNuILyB9GmtObiarjA7PoEsynPEmL3QBPgCIDSFFEZw
        G5SGSvACz9WmRKuYUx4xqu8ozD14EnOXUX_NAkLpGPc BpsSN1HlnRdVL4h7k-WE5qtgivvxVcxt6i9b_CO2-9w
        gJMwRASaj8sFcCZIR4vKWBiYT0n7kjXo9MYQkyfUlxU
    """,
    "github.com/Keats/jsonwebtoken, tests": """
        -9POkGtActRbSCWs9KxiRwNy9VUrlacyHGd_tqbVDnk 1F9OrfU2oTuQwsjXs5w-DT99L2hKF4I7IpEJPIg78BA
        8Hd_o74EI9QAmmXyDR03YCEU3sYgr1JxK0z0FV80XOU zzA9af3jewgb-e1PKLItfx5KMKL1OiIEGx1Ii4nUz2s
    """,
    "github.com/go-jose/go-jose, tests": """
        qRjd65D5sMLm6yrPiIAS96OCz4wj1iQqiQjnxFzFQz8 2Mc5dxxy4zp2XJIe-IYC84CTBsrFMiIpMG7qfhLIOj8
        mgwIx_LaMzhb5fO-JtODadn5NCBgN6UMWfr02ubzsr0 DZWCiMxBWexhWhNlvDRKQjj7VBde2MkxMe0gSlLkTQc
        q3hJy1s8DBTtm0qKaj4qtwRFoBbPS9QhauR088Aic5w 4-wQHj6kp0S-U0m31-SK_pszeQgMI_Zryw-a5sLeEio
        5sfGOi5Y1OvJRAO-p4VJiYtsLoSQkPVGeMMLl-AFHLE Za3rCNlYnVQy3RE3YGZ4eBxGxm1SyYCmVzB25sTVm6k
    """,
    "github.com/lestrrat-go/jwx, docs and tests": """
        a7qE0Y0DyqeOFFREIQSLKfu5WlbckdxVXKFasfcI-Dg 4pCkSoQWrwTjgj6PRBFnIVANPhqioYnHGRXTugmi9rA
        u_hoqDae5FwvEio1-zDkLsTKRbnTjyYIzfnO8SsviOk BPmtAqBydeK7FxWajJ4-CshreV6pKFUL9XZQ3Fo1WKM
        N7LIZtfIUc3_8OOSFOsJtWHnLTmo20ggOy2k-T4Mq-o jXvYzy9fbZkEtDXAcdJGvunHUke5jZivOQ6nVcyOB18
        wbusoTxKfqtlj_PM080gXg7VvkRigNAVgzDX2ei6N-8 3UaPrLHARsDTRDJ6phdXPtmniaqlciRbGAKW3H0ahUw
    """,
    "github.com/potatosalad/erlang-jose, test": """
        FEpJ999KGXdeVAmmTSCcUD3yRzK9w6yT5Shxtx4yOA4 fFiuLjajy7ZU3PGrunf3JsN5kkSUHtEbBHcoUXazS2M
    """,
    "github.com/ory/hydra, tests": """
        jLZV7F6YoDEa-NFsSWxOeunx3PamJUflf1l4w7UTQ6c 5UPs3frr3j3vIWRVD-0GPyIrrNJRX4uq8QgE5REUt1Y
        PGnDH23Awhulch4YzbXWVXUJanMcvltMqyA69MEz-bw
    """,
    "github.com/dexidp/dex, tests": """
        Ka_xqJm-ZDmFE918P3_d2Dmq_sa98lQ3XAhzGtRIbCY bzfN8X6t0wGCsR_vbfSQJqyRo9U4qtkW1M4eFSs-mKY
        BegzphjZoaJIyNcTQ0to8G-2XOh0VPw0IGt8vQPoU3A LYTuuCIpXJnDlMxh43ePbuZMF8K1tupEk-nMK52fJAo
        s0d0lpKEI12JBPa54GdOJ4Mmk1mi0PxyB5gWM_gsbd0 E-tB6ZaiPWDHKnGXDJplmj9iKIwvoONJnrfiYfTIKww
        77EhoUcz1GNZHfZ7CHTxI493QEi67YLK6RNC8-BFecY h30yqCgI_YMi13PGl0yHEFSjiFn5e6lVCwjrtxqb-GI
        joJAk-Kt2dezzijgGFFP5yaO6-wmCdkw_b81IxGOzzI Y7fPzB01UyjuO1A7JE87EeV5qYTKNAdp3RyNnZgfapk
        HtOSElJMnmiU-bNejGtMcRbB1UlXOLDRsPaG1AbQDdk ZUvTgnkm6rAV5-DjoRmEdhyWfNthLC606As9Qbzjp3Q
        KOVK858lzMjPH35BNerlvsVuuYW9YNWdI4Qr3ek6DqI pjFojARObYvm5NiS2Myq__LywGBiw6vUX3mUiVRDswE
    """,
    "github.com/Kong/kong, spec/03-plugins/16-jwt/fixtures.lua": """
        Xr3UN4dYYhjsg8zDYKCGZMllQbzVZHLslU6-0v_DLL0 zvBbBq0PEgcoIhPs0lpnUtiS0vpTTfPQjRzyEi7XKzY
        py_wa_erVHFCCxxQhU4tqauGblW__X3emM2PZkFoLL8 ck6OWb-Ra_p4p4eKosdH0WygwCKEMynXexhluSwlWNM
        dfIC_yUH-tCEdTsfgGmmjgGfaYfFJaanwfEM0inIjK8 ZqF0dmOEbIZQqpc4WdfFttl7yIxCgM1hgu3rjzOiOTk
        xu_0QtSpCsqmgI1FfqC2kwvCF3_hxq6leZ-g4MdUcBc KL1mQNHBZR2YX-wRoN0oV-BV4dnVGjgoyMSLDygPg_k
        nuIVMjCK9OFU09V05TLQQnUglPM_9dUvoa48n94z6O8 HVUYp_ZZVu9eTZVENmQSZKQ8tFQvFiTVrksuk-c7MSg
    """,
}

KNOWN: Mapping[str, str] = MappingProxyType(
    {thumbprint: source for source, thumbprints in _PUBLISHED.items() for thumbprint in thumbprints.split()}
)
"""From a key's RFC 7638 thumbprint (SHA-256, base64url without padding) to the place where its private half stands.

A place is an RFC, `jwt.io`, or a repository and a path in it.
"""
